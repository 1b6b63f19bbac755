import type { Protocol } from './nat-pmp-message.ts'

/** How a router is asked, whatever language it speaks. All questions end by themselves. */
export interface Forwarder {
  readonly language: 'NAT-PMP' | 'UPnP'
  /** IP address of the router, and the port that is asked. */
  readonly host: string
  readonly port: number
  /** What exactly is asked: two with the same are one. */
  readonly at: string
  /**
   * Its address on the outside, as it says; it may be a private one.
   * @throws STARLING_UNREACHABLE when it does not answer, or not with an address
   */
  externalIp(signal?: AbortSignal): Promise<string>
  /**
   * Forward a port to us, or go on doing so.
   * @throws STARLING_UNREACHABLE when it does not answer, or refuses
   */
  forward(wish: Wish, signal?: AbortSignal): Promise<Lease>
  /** @throws STARLING_UNREACHABLE as above: the lease then runs out by itself, or stays */
  release(wish: Wish, signal?: AbortSignal): Promise<void>
  /** Whether it restarted since this was asked last, where the language tells. */
  hasRestarted(): boolean
}

export interface Wish {
  readonly protocol: Protocol
  /** Ours, as the router sees it. */
  readonly internalHost: string
  readonly internalPort: number
  /** Another one may be given. */
  readonly externalPort: number
}

export interface Lease {
  readonly externalPort: number
  /** After which it ends unless it is renewed; Infinity: it does not. */
  readonly lifetimeSeconds: number
}

/** RFC 6886, 3.3 recommends it. */
export const lifetimeSeconds = 7_200
