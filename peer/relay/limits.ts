/** What a relay gives away at most. Everybody may ask, so everything has a bound. */
export interface RelayLimits {
  /** Connections from others at once. */
  readonly connections: number
  /** Peers that can be reached through us at once. */
  readonly reservations: number
  /** Of connections and of reservations, each: from one IPv4 address or one IPv6 /64, a household. */
  readonly perIp: number
  /** The same for one IPv4 /24 or one IPv6 /48, what a stranger can rent cheaply. */
  readonly perSubnet: number
  /** Relayed connections at once. */
  readonly circuits: number
  /** Bytes of one relayed connection, both ways together; Infinity for no limit. */
  readonly bytesPerCircuit: number
  /** Life of one relayed connection, in seconds; Infinity for no limit. */
  readonly secondsPerCircuit: number
  /** Relayed bytes in a second, of all connections together. */
  readonly bytesPerSecond: number
  /** Relayed bytes in a day, of all connections together. */
  readonly bytesPerDay: number
  /** Resident memory from which on newcomers are refused, in bytes. */
  readonly memoryBytes: number
}

const MB = 1e6

export const relayLimitDefaults: RelayLimits = {
  connections: 1024,
  reservations: 512,
  perIp: 32, // a lab of thirty laptops behind one address
  perSubnet: 128,
  circuits: 1024,
  bytesPerCircuit: 128 * 2 ** 10, // circuit relay v2's own: enough to agree on a direct connection
  secondsPerCircuit: 120, // also circuit relay v2's
  bytesPerSecond: (100 * MB) / 8,
  bytesPerDay: 20_000 * MB, // 40 GB of traffic, as each byte comes in and goes out: 1.2 TB a month
  memoryBytes: 512 * MB
}
