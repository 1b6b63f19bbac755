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

// --- data -------------------------------------------------------------------------------------

/** Classes in a classification task. ImageNet-21k has 21,841. Labels are stored in 16 bits. */
export const classesMax = 65_536
/** Features of one sample: a 1024 × 1024 RGB image is 3.1 million. */
export const featuresMax = 4 * 2 ** 20
/** Bytes of one part's features as float32: eleven times Fashion-MNIST. Above: STARLING_BAD_DATA. */
export const partBytesMax = 2 * 2 ** 30
/** Bytes of a CSV file. Read whole; takes up to ten times that while it is parsed. */
export const csvBytesMax = 128 * 2 ** 20
/** Samples judged at a time: large enough to use the machine, small enough for its cache. */
export const evaluationSamplesMax = 512
/** Features judged at a time, unless one sample has more: 16 MiB as float32. */
export const evaluationFeaturesMax = 4 * 2 ** 20

// --- the wire (docs/wire.md) ------------------------------------------------------------------

/** Bytes of a frame's header. The largest header is a full list of contacts. Above: rejected. */
export const headerBytesMax = 32 * 2 ** 10
/** Bytes of an encoded task manifest. A custom topology of a thousand layers is about 300 kB. */
export const manifestBytesMax = 512 * 2 ** 10
/** Contacts in one `peers` message: half a second's worth of dialing. The rest is left out. */
export const contactsPerMessageMax = 32
/** Addresses of one contact: a laptop with four interfaces and both IP versions. */
export const addressesPerContactMax = 8
/** Characters of one multiaddr: a relayed one with two peer ids is about 180. */
export const addressLengthMax = 256

// --- membership -------------------------------------------------------------------------------

/** Peers whose addresses are remembered. Above: the one seen longest ago is forgotten. */
export const contactsMax = 512

// --- exchange ---------------------------------------------------------------------------------

/**
 * Bytes of updates held between merges: a neighbour may send one for this round and one for the
 * next. Four models of the largest size, thousands of small ones. Above: rejected with `full`.
 */
export const heldBytesMax = 2 ** 30
/** How many times its own number of samples a peer may claim to weigh. */
export const sampleClaimRatioMax = 4

// --- the simulator ----------------------------------------------------------------------------

/** Bytes of a scenario file. A list of 10,000 edges is about 120 kB. Above: STARLING_BAD_SCENARIO. */
export const scenarioBytesMax = 2 * 2 ** 20
/** Peers in one simulated world: each holds a model. Above: STARLING_BAD_SCENARIO. */
export const simulatedPeersMax = 10_000
/** Events at one instant of virtual time, for each peer. More means that the world runs on the spot. */
export const simultaneousEventsPerPeerMax = 100_000
/** Broken invariants that a report lists; all are counted. */
export const brokenInvariantsListedMax = 20

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
/** Bytes of an answer that the client reads: a status with all 512 contacts is about 200 kB. */
export const controlAnswerBytesMax = 4 * 2 ** 20

// --- logs -------------------------------------------------------------------------------------

/** Bytes of a string from a peer in a log line. Above: cut, with an ellipsis. */
export const loggedBytesMax = 512
