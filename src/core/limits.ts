/**
 * Every bound in one place: its unit, its reason, and what happens at it.
 * A bound that a user may move is an option elsewhere, with its default here.
 */

// --- models -----------------------------------------------------------------------------------

/** Parameters in a model. 256 MiB as float32: four copies (own, base, received, merged) fit a laptop. */
export const parametersMax = 64 * 2 ** 20
/** Tensors in a model. A ResNet-152 has about 780. Above: STARLING_BAD_MODEL. */
export const tensorsMax = 4096
/** Numbers that one layer may give for one sample: 64 MiB as float32. Above: STARLING_BAD_MODEL. */
export const activationsMax = 16 * 2 ** 20

/** Plans that an engine keeps, one for each size of batch. Above: the one made first is made again. */
export const passesMax = 16
/** Layers in a list of layers. ResNet-152 has about 520 of our kinds. Above: STARLING_BAD_TASK. */
export const layersMax = 2048
/**
 * Bytes of a file with a list of layers or a topology: what it says must still fit into a task
 * (manifestBytesMax), which is denser. Above: STARLING_BAD_MODEL.
 */
export const modelFileBytesMax = 2 * 2 ** 20

// --- data -------------------------------------------------------------------------------------

/** Classes in a classification task. ImageNet-21k has 21,841. Labels are stored in 16 bits. */
export const classesMax = 65_536
/** Features of one sample: a 1024 × 1024 RGB image is 3.1 million. */
export const featuresMax = 4 * 2 ** 20
/**
 * Labels of one sample of a sequence: what a small transformer looks back on. Attention takes
 * 4 MiB for each head and sample there, and grows with the square. Above: refused.
 */
export const positionsMax = 1024
/** Bytes of one part's features as float32: eleven times Fashion-MNIST. Above: STARLING_BAD_DATA. */
export const partBytesMax = 2 * 2 ** 30
/** Bytes of a CSV file. Read whole; takes up to ten times that while it is parsed. */
export const csvBytesMax = 128 * 2 ** 20
/** Bytes of a text file: the works of Shakespeare 25 times. Read whole; takes six times that later. */
export const textBytesMax = 128 * 2 ** 20
/** Bytes of a file of row numbers: two million of them. Above: STARLING_BAD_DATA. */
export const rowsBytesMax = 16 * 2 ** 20
/** Samples judged at a time: large enough to use the machine, small enough for its cache. */
export const evaluationSamplesMax = 512
/** Numbers that the widest layer of a plan gives when samples are judged: 4 MiB stay near the core. */
export const evaluationFloatsMax = 2 ** 20
/** Features judged at a time, unless one sample has more: 16 MiB as float32. */
export const evaluationFeaturesMax = 4 * 2 ** 20
/**
 * Samples, or places of them, by which units are compared: correlations of 64 units are then known to
 * 0.01, and the product of two matrices of activations takes milliseconds.
 */
export const matchingRowsMax = 2 ** 14

// --- the wire (docs/wire.md) ------------------------------------------------------------------

/** Bytes of a frame's header. A full list of the longest records takes 90 kB. Above: rejected. */
export const headerBytesMax = 96 * 2 ** 10
/** Bytes of an encoded task manifest. A custom topology of a thousand layers is about 300 kB. */
export const manifestBytesMax = 512 * 2 ** 10
/** Records in one `peers` message: half a second's worth of dialing. The rest is left out. */
export const recordsPerMessageMax = 32
/** Bytes of one record: eight addresses of 256 characters, two names of 128, a few numbers. Above: malformed. */
export const recordBytesMax = 2_688
/** Bytes of a signature: Ed25519 takes all of them. Above: malformed. */
export const signatureBytesMax = 64
/** Characters of the version that a peer runs, as its record tells it. Our own is cut. */
export const versionLengthMax = 32
/** Tasks that a helper's hello offers: 2 kB. The rest is left out. */
export const offersPerHelloMax = 32
/** Addresses of one contact: a laptop with four interfaces and both IP versions. */
export const addressesPerContactMax = 8
/** Characters of one multiaddr: a relayed one with two peer ids is about 180. */
export const addressLengthMax = 256

/** Any count in a header. Above: malformed. What we count ourselves never comes near it. */
export const countMax = 2 ** 48
/**
 * How far we believe a peer's round or age. Above, it counts as this much: adopting a claim must not
 * bring our own counters near countMax, where others would refuse us.
 */
export const claimMax = 2 ** 40

// --- membership -------------------------------------------------------------------------------

/** Peers whose addresses are remembered. Above: who told most of those never met loses the oldest of them. */
export const contactsMax = 512
/**
 * Peers that one teller may have told us of, as long as we have not met them: a quarter of all, so that one
 * who makes up a thousand leaves room for three who do not. Above: the oldest of its own gives way.
 */
export const contactsPerTellerMax = contactsMax / 4
/**
 * Seconds since anybody had word of a peer after which its record is neither told nor counted as of one
 * who lives. Records are renewed every minute; in a swarm of 300, 99 in 100 of what all know of all are
 * less than five minutes old (simulated).
 */
export const recordSecondsMax = 15 * 60
/**
 * Signatures that are checked for one teller in a second: two full messages, 14 ms (measured). And for all
 * tellers together: 5 % of a core. Above: not looked at, and told again some other time.
 */
export const checksPerTellerMax = 64
export const checksPerSecondMax = 256
/** Helpers to be connected to: one may fail and one may lie. Above: no more are dialed. */
export const helpersMax = 3

/**
 * Hellos, questions and lists of contacts that one peer may send in a second. An honest one sends a few;
 * what a stalled link kept back for a minute and delivers at once is two dozen. Above: rejected with `flood`.
 */
export const courtesiesPerSecondMax = 32
/** Entries in one `view` message, as records in `peers`: 74 kB at most. */
export const viewEntriesPerMessageMax = 32
/** Peers in a view of who takes part. Above: the one that was active longest ago is forgotten. */
export const viewPeersMax = 8192

// --- helpers ----------------------------------------------------------------------------------

/** Peers that a helper keeps records of: 12 MB of the longest. Above: the largest task loses its oldest. */
export const helperRecordsMax = 4_096
/** Tasks whose manifests a helper keeps. Above: one with fewer peers gives way, or the new one stays out. */
export const helperTasksMax = 64
/** Bytes of all those manifests. Above: as above. */
export const helperManifestBytesMax = 16 * 2 ** 20

// --- exchange ---------------------------------------------------------------------------------

/**
 * Bytes of updates held between merges: a neighbour may send one for this round and one for the
 * next. Four models of the largest size, thousands of small ones. Above: rejected with `full`.
 */
export const heldBytesMax = 2 ** 30
/** How many times its own number of samples a peer may claim to weigh. */
export const sampleClaimRatioMax = 4
/** How many times the age of our model a peer may claim for its own; a model of age 0 believes all. */
export const ageClaimRatioMax = 10
/** Parameters of a model that is added up between two events; larger ones are merged in a thread. */
export const mergedInPlaceMax = 4_000_000
/** Samples of a probe batch: what matching looks at models with. More tell little more (measured). */
export const probeSamplesMax = 512
/** Held-out samples on which models are judged in a merge: an accuracy is good to three points. */
export const judgedSamplesMax = 256

// --- the simulator ----------------------------------------------------------------------------

/** Bytes of a scenario file. A list of 10,000 edges is about 120 kB. Above: STARLING_BAD_SCENARIO. */
export const scenarioBytesMax = 2 * 2 ** 20
/** Bytes of a result file that is compared. One with the drawing of 1,000 peers has some 10 MB. Refused. */
export const resultBytesMax = 256 * 2 ** 20
/** Peers in one simulated world: each holds a model. Above: STARLING_BAD_SCENARIO. */
export const simulatedPeersMax = 10_000
/** Places in a matrix of latencies: a million numbers. Above: STARLING_BAD_SCENARIO. */
export const latencyPlacesMax = 1_000
/** Bytes of a data file that a scenario names, such as that matrix at 16 bytes a number. Above: refused. */
export const scenarioDataBytesMax = 16 * 2 ** 20
/** Numbers in one list of them in a scenario, such as measured speeds. Above: STARLING_BAD_SCENARIO. */
export const scenarioListMax = 100_000
/** Numbers of all peers in a study of averaging: four copies of 128 MiB. Above: refused. */
export const simulatedNumbersMax = 2 ** 24
/** Seconds of one run, as estimated before it begins: a week. Above: STARLING_BAD_SCENARIO. */
export const simulatedSecondsMax = 7 * 86_400
/** Threads of one simulation: each takes about 50 MiB for itself. Above: refused. */
export const simulationWorkersMax = 64
/**
 * Edges looked at for one betweenness: under a second, as faults may ask for it again after each
 * victim. 2,000 peers of 16 connections each are within it. Above: paths from a sample of the peers.
 */
export const betweennessVisitsMax = 2 ** 26
/** Daemons of one scenario, each a process of some 200 MiB. Above: STARLING_BAD_SCENARIO. */
export const processesMax = 32
/** Events at one instant of virtual time, for each peer. More means that the world runs on the spot. */
export const simultaneousEventsPerPeerMax = 100_000
/** Seconds that a fault may wait for or last: a year, in which a world of rounds has long ended. */
export const faultSecondsMax = 366 * 24 * 3_600
/** Machines or users that traces tell of, over all files: ten for each simulated peer. Above: refused. */
export const traceSessionsMax = 100_000
/** Absences too short for any round to notice, one after another: then the peer counts as there. */
export const unnoticedAbsencesMax = 100_000
/** Characters of a first run's events that are kept, to show beside a second's that differ: 64 MiB. */
export const comparedLinesCharactersMax = 2 ** 25
/** Broken invariants that a report lists; all are counted. */
export const brokenInvariantsListedMax = 20
/** Samples over the time of a simulated run: a point every few pixels of a chart. Above: thinned out. */
export const timelineSamplesMax = 300
/** Peers and connections in one drawing: more cannot be told apart. Above: none, and it says why. */
export const drawnPeersMax = 1_000
export const drawnEdgesMax = 20_000

// --- the home on disk -------------------------------------------------------------------------

/** Bytes of config.json: 128 addresses of 256 characters, twice over. Above: refused. */
export const configBytesMax = 64 * 2 ** 10
/** Bytes of a checkpoint's header, which holds a few numbers and two digests. Above: refused. */
export const checkpointHeaderBytesMax = 4 * 2 ** 10

// --- the control API --------------------------------------------------------------------------

/** Bytes of a request's body. Above: 413. */
export const controlBodyBytesMax = 64 * 2 ** 10
/** Bytes of a request's headers. Above: 431. */
export const controlHeaderBytesMax = 8 * 2 ** 10
/** Connections at once: a dashboard and a few commands. Above: closed at once. */
export const controlConnectionsMax = 64
/** Bytes of events that wait for one client. Above: that client is dropped. */
export const eventBytesPerClientMax = 2 ** 20
/** Events that a daemon keeps to be asked for: the last minutes of a busy one. The oldest is forgotten. */
export const recentEventsMax = 500
/** Bytes of an answer that the client reads: a status with all 512 contacts is about 200 kB. */
export const controlAnswerBytesMax = 4 * 2 ** 20

// --- logs -------------------------------------------------------------------------------------

/** Bytes of a string from a peer in a log line. Above: cut, with an ellipsis. */
export const loggedBytesMax = 512
// --- the network (peer/) ----------------------------------------------------------------------

/** Connections at once: eight neighbours, those of the DHT, and room for newcomers. More: refused. */
export const connectionsMax = 100
/** New connections a second from one IP address. A household or a lab restarts behind one address. */
export const inboundConnectionsPerSecondMax = 50
/** Handshakes in progress. libp2p's 10 lets ten silent sockets shut everybody else out for 10 s. */
export const handshakesMax = 64
/** Frame streams that a peer may hold open to us: one in use, the others still closing. */
export const frameStreamsMax = 4
/** Pings under way on one connection, each way: the DHT's and the monitor's. More: refused. */
export const pingStreamsMax = 8
/** Frames that wait for one peer. Above: an old one that can be missed goes, else the connection. */
export const outboxFramesMax = 64
/** Bytes that wait for one peer; a single larger frame may wait alone. */
export const outboxBytesMax = 64 * 2 ** 20
/** Bytes handed to a stream at once: smaller costs throughput, larger costs memory (measured). */
export const writeChunkBytes = 256 * 2 ** 10
/** Bytes of a progress announcement: eight addresses of 180 characters and six numbers. */
export const announcementBytesMax = 2048
/** Peers whose progress is remembered. Above: the one heard longest ago is forgotten. */
export const announcersMax = 512
/** Memory for one peer's gossip topics: about 16 of them, and we use one. More are ignored. */
export const topicBytesPerPeerMax = 16 * 2 ** 10
/** Peers remembered on disk, a small file each. Above: remembered until the daemon stops. */
export const peerFilesMax = 2048
/** Relays that we keep a place at: one may die and one be slow while a third still carries. */
export const relaysHeldMax = 3
/** Relays that we know of. Above: the one that failed most is forgotten, of those nobody named. */
export const relaysKnownMax = 32
/** Addresses that we tell for one relay: three relays leave room for our own (addressesPerContactMax). */
export const addressesPerRelayMax = 2
/** Connections through relays that are being made or stand, each way: as many as connections. */
export const relayedInboundMax = 100
/** Times in a minute that we dial one peer back to tell it whether it can be reached. More: refused. */
export const dialBacksPerMinuteMax = 12
/** Dials back under way at once: strangers make us dial. More: refused. */
export const dialBacksMax = 4
/** Ports of ours that others are asked to dial: those that we listen on and those that are mapped. */
export const dialBackPortsMax = 4
/** Peers whose word is kept about one address of ours. Above: the oldest word is forgotten. */
export const witnessesMax = 16
/** Addresses of ours that others may have found: they say themselves at which one they saw us. */
export const witnessedAddressesMax = 16
/** Routers that are asked for a port: a laptop has a cable, a radio and a few virtual machines. More: left alone. */
export const routersMax = 8
/** Bytes that a router may say at a time: descriptions have 2 to 20 kB. More: not read. */
export const routerAnswerBytesMax = 64 * 2 ** 10
/** Descriptions of routers that are read in one search, and of one address. More are left out. */
export const descriptionsMax = 16
export const descriptionsPerHostMax = 2
/** Records held for the DHT, in memory: strangers write them. Above: the oldest is forgotten. */
export const recordsMax = 8192
/** Peers of the local network that are met in a minute; a lab has some tens. More are left out. */
export const lanPeersPerMinuteMax = 64
/** Addresses that the user wrote, with all that their names lead to. Above: names lead no further. */
export const trustedAddressesMax = 1024
/** Addresses that libp2p keeps of one peer, whatever identify says. More are not stored. */
export const storedAddressesMax = 32
/** Addresses that one name may lead to: a list of helpers. More are left out. */
export const resolvedAddressesMax = 32

// --- access (peer/access/) --------------------------------------------------------------------

/** Bytes of an allow list: a thousand peers with a comment each. Above: STARLING_BAD_CONFIG. */
export const allowListBytesMax = 256 * 2 ** 10
/** Certificates of one invitation: founder, somebody who may invite, and the key in a link. */
export const invitationChainMax = 3
/** Bytes of one certificate: two ids, a CID, three numbers and a signature take about 250. */
export const certificateBytesMax = 512
/** Bytes of one message of the admission protocol: a whole chain and a reason. Above: refused. */
export const admissionBytesMax = 2048
/** Days for which an invitation may be good: nobody can take it back from everybody. */
export const invitationDaysMax = 3650
/** Peers that one certificate may bring in, when it says how many at all. */
export const invitationUsesMax = 1024
/** Certificates whose uses are remembered. Above: the one that runs out first is forgotten. */
export const countedCertificatesMax = 1024
/** Bytes of the file of those uses. Above: STARLING_HOME_UNUSABLE. */
export const usesBytesMax = 128 * 2 ** 20
/** Bytes of an invitation in a home. */
export const invitationBytesMax = 4096
/** Peers whose admission is remembered. Above: the one admitted longest ago must show it again. */
export const admittedMax = 1024
/** Characters of a `starling://` link: eight relayed addresses and an invitation of three certificates. */
export const linkLengthMax = 4096
/** Addresses in a link: as many as one dials at the start without waiting. */
export const linkAddressesMax = 8

/** Bytes of a frame whose speed tells something about the connection: more than its buffers hold. */
export const measuredFrameBytesMin = 10 ** 6

// --- through routers (peer/nat/) --------------------------------------------------------------

/**
 * Peers that the DHT dials in a minute, and at once: the addresses of all of them leave half of the dials
 * to everybody else.
 */
export const dhtDialsPerMinuteMax = 15
/**
 * Dials a minute, and at once, whatever they are for: a start with eight neighbours of eight addresses
 * each, half of them dead, and a DHT. Above: the dial fails and may be tried again later.
 */
export const dialsPerMinuteMax = 120
/** Far ends whose word on our address is kept. Above: the one that spoke longest ago is forgotten. */
export const observersMax = 32
/** Addresses that two peers dial to meet half way: both IP versions, or a port and its successors. */
export const candidatesMax = 4
/** Bytes of one message about meeting half way: four addresses. Above: refused. */
export const punchMessageBytesMax = 1024
/** Meetings half way that are under way at once; each dials candidatesMax addresses. More: refused. */
export const punchesAtOnceMax = 4
/** Requests to meet that one connection may have open. More: refused. */
export const punchStreamsMax = 2
/** Milliseconds that a peer leaves between having us dial and asking for it again. Sooner: refused. */
export const punchIntervalMsMin = 5_000
/** Peers with whom meeting half way was tried lately. Above: the longest ago is forgotten. */
export const punchPeersMax = 512
/** Attempts at WebRTC that are under way at once; each has threads and sockets of its own. More: refused. */
export const webrtcAtOnceMax = 4
/** Helpers that are asked by STUN how the world sees us, in one attempt: one, and one to spare. */
export const stunServersMax = 2
/** Peers of whom it is remembered since when we know of them. Above: the first one is forgotten. */
export const heardOfMax = 1024
