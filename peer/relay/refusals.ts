/** Why a relay said no, or stopped what it had begun. The names are shown in `status`. */
export type Refusal =
  // connections
  | 'connections' // as many as there may be
  | 'connections-per-ip'
  | 'connections-per-subnet'
  | 'handshakes' // too many unfinished ones
  | 'too-fast' // too many new connections in a short time from one address
  | 'memory'
  | 'no-ip'
  // reservations
  | 'reservations'
  | 'reservations-per-ip'
  | 'reservations-per-subnet'
  // relayed connections
  | 'no-reservation' // whoever is asked for is not here
  | 'circuits'
  | 'circuits-per-peer'
  | 'bytes-per-day'
  | 'unreachable' // whoever is asked for does not answer
  | 'malformed'

/** Why a relayed connection was cut. */
export type Cut = 'bytes' | 'minutes' | 'bytes-per-day' | 'memory'

/** Counts by name. */
export class Tally<Name extends string> {
  readonly #counts = new Map<Name, number>()

  add(name: Name): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** Only names that were counted, as plain JSON. */
  get counts(): Readonly<Partial<Record<Name, number>>> {
    return Object.fromEntries(this.#counts) as Partial<Record<Name, number>>
  }
}
