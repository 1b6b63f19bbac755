import type { Layout } from '../src/learning/layout.ts'
import type { Message } from './messages.ts'

/** The fixed first bytes of every frame. */
export const prefixBytes = 12

/** What a frame's prefix promises, already checked against the limits. */
export interface Prefix {
  readonly type: number
  readonly headerBytes: number
  readonly payloadBytes: number
}

export type WireFault = 'malformed' | 'too-large'

/** A frame as pieces, so that a model is sent without copying it. */
export function encodeFrame(_message: Message): Uint8Array[] {
  throw new Error('to come')
}

/** Bytes that encodeFrame gives for a message. */
export function frameBytes(_message: Message): number {
  throw new Error('to come')
}

/**
 * Read a prefix and decide, before anything is allocated, whether the rest is welcome.
 * @param bytes - exactly prefixBytes
 * @param layout - of our task, which fixes the size of a model; null while we have none
 */
export function decodePrefix(_bytes: Uint8Array, _layout: Layout | null): Prefix | WireFault {
  throw new Error('to come')
}

/**
 * @param body - exactly headerBytes + payloadBytes; not used by anybody else afterwards
 */
export function decodeBody(_prefix: Prefix, _body: Uint8Array): Message | WireFault {
  throw new Error('to come')
}
