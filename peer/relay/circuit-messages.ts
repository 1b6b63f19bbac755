/**
 * The messages of circuit relay v2, as bytes.
 * https://github.com/libp2p/specs/blob/master/relay/circuit-v2.md#protobuf
 *
 * Only what a relay reads and writes: it is asked to reserve and to connect, and it answers. Vouchers
 * are left out, as the specification allows.
 */

export const hopProtocol = '/libp2p/circuit/relay/0.2.0/hop'
export const stopProtocol = '/libp2p/circuit/relay/0.2.0/stop'

/** Of one message. A request names a peer and its addresses. */
export const circuitMessageBytesMax = 4096

export const circuitStatus = {
  ok: 100,
  reservationRefused: 200,
  resourceLimitExceeded: 201,
  permissionDenied: 202,
  connectionFailed: 203,
  noReservation: 204,
  malformedMessage: 400,
  unexpectedMessage: 401
} as const

export type CircuitStatus = (typeof circuitStatus)[keyof typeof circuitStatus]

/** What a relayed connection is told that it may have. */
export interface CircuitLimit {
  readonly seconds: number
  readonly bytes: number
}

export type HopRequest =
  | { readonly kind: 'reserve' }
  /** `peer` is the multihash of a peer id; not checked further. */
  | { readonly kind: 'connect'; readonly peer: Uint8Array }

/** @returns undefined for anything that is no request */
export function decodeHopRequest(bytes: Uint8Array): HopRequest | undefined {
  const fields = readFields(bytes)
  const type = fields?.varint(1)
  if (type === 0) return { kind: 'reserve' }
  if (type !== 1) return undefined
  const peer = readFields(fields?.bytes(2) ?? new Uint8Array())?.bytes(1)
  return peer === undefined ? undefined : { kind: 'connect', peer }
}

/** @returns the status that the other end of a stop stream answers with; undefined for nonsense */
export function decodeStopStatus(bytes: Uint8Array): number | undefined {
  const fields = readFields(bytes)
  return fields?.varint(1) === 1 ? fields.varint(4) : undefined
}

export interface Granted {
  /** Unix time, in seconds. */
  readonly expires: number
  /** Ours, in binary: how the peer can be reached through us. */
  readonly addresses: readonly Uint8Array[]
}

export function encodeHopStatus(
  status: CircuitStatus,
  { limit, reservation }: { limit?: CircuitLimit | undefined; reservation?: Granted } = {}
): Uint8Array {
  return Buffer.concat([
    varintField(1, 2),
    ...(reservation === undefined ? [] : [bytesField(3, encodeReservation(reservation))]),
    ...(limit === undefined ? [] : [bytesField(4, encodeLimit(limit))]),
    varintField(5, status)
  ])
}

/** @param peer - the multihash of whoever wants to connect */
export function encodeStopConnect(peer: Uint8Array, limit: CircuitLimit | undefined): Uint8Array {
  return Buffer.concat([
    varintField(1, 0),
    bytesField(2, bytesField(1, peer)),
    ...(limit === undefined ? [] : [bytesField(3, encodeLimit(limit))])
  ])
}

function encodeReservation({ expires, addresses }: Granted): Uint8Array {
  return Buffer.concat([
    varintField(1, expires),
    ...addresses.map((address) => bytesField(2, address))
  ])
}

/** A field that is left out means: no such limit. */
function encodeLimit({ seconds, bytes }: CircuitLimit): Uint8Array {
  return Buffer.concat([
    ...(Number.isFinite(seconds) ? [varintField(1, Math.floor(seconds))] : []),
    ...(Number.isFinite(bytes) ? [varintField(2, Math.floor(bytes))] : [])
  ])
}

// --- protobuf: https://protobuf.dev/programming-guides/encoding/ ----------------------------------

const wireVarint = 0
const wire64 = 1
const wireBytes = 2
const wire32 = 5

interface Fields {
  /** The last value of a field, as protobuf wants it. */
  varint(field: number): number | undefined
  bytes(field: number): Uint8Array | undefined
}

/** @returns undefined unless all bytes are fields; those that we do not know are skipped */
function readFields(bytes: Uint8Array): Fields | undefined {
  const varints = new Map<number, number>()
  const pieces = new Map<number, Uint8Array>()
  let at = 0
  const readVarint = (): number | undefined => {
    let value = 0
    // Seven bits a byte: more than 53 of them are more than we count, or nonsense.
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) return undefined
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : undefined
    }
    return undefined
  }
  while (at < bytes.length) {
    const key = readVarint()
    if (key === undefined) return undefined
    const field = Math.floor(key / 8)
    const wire = key % 8
    if (wire === wireVarint) {
      const value = readVarint()
      if (value === undefined) return undefined
      varints.set(field, value)
    } else if (wire === wireBytes) {
      const length = readVarint()
      if (length === undefined || length > bytes.length - at) return undefined
      pieces.set(field, bytes.subarray(at, at + length))
      at += length
    } else if (wire === wire64 || wire === wire32) {
      at += wire === wire64 ? 8 : 4
      if (at > bytes.length) return undefined
    } else {
      return undefined
    }
  }
  return { varint: (field) => varints.get(field), bytes: (field) => pieces.get(field) }
}

function varintField(field: number, value: number): Uint8Array {
  return Uint8Array.of(field * 8 + wireVarint, ...varint(value))
}

function bytesField(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(field * 8 + wireBytes, ...varint(content.length)), content])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}
