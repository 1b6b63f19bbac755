import { decode, encode } from '@ipld/dag-cbor'
import { z } from 'zod'
import { bytesOf, contentDigest } from '../src/core/digest.ts'
import {
  addressLengthMax,
  addressesPerContactMax,
  countMax,
  headerBytesMax,
  manifestBytesMax,
  offersPerHelloMax,
  recordBytesMax,
  recordsPerMessageMax,
  signatureBytesMax,
  viewEntriesPerMessageMax
} from '../src/core/limits.ts'
import type { Layout } from '../src/learning/layout.ts'
import type { Message, ToldRecord } from './messages.ts'
import { SignedRecord } from './records/record.ts'
import { cborBytes } from './wire-length.ts'

/**
 * Bytes ↔ messages. docs/wire.md writes the format down, with test vectors.
 *
 *     magic 2 | version 1 | type 1 | header bytes 4 | payload bytes 4 | header | payload
 *
 * The header is a dag-cbor map; the payload is a model or a task manifest, sent as it lies in memory.
 * Nothing here throws on what a peer sent: it answers with the fault.
 */

/** Bytes of the fixed first part of every frame. */
export const prefixBytes = 12

const magic = [0x53, 0x74] as const // 'St'
const version = 3

/** What a frame's prefix promises, already checked against the limits. */
export interface Prefix {
  readonly type: number
  readonly headerBytes: number
  readonly payloadBytes: number
}

export type WireFault = 'malformed' | 'too-large'

const count = z.int().nonnegative().max(countMax)
const peerId = z.string().min(1).max(128)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const cid = z.string().min(1).max(128)
const addresses = z.array(z.string().min(1).max(addressLengthMax)).max(addressesPerContactMax)
const signed = {
  record: z.instanceof(Uint8Array).refine(({ length }) => length <= recordBytesMax),
  signature: z.instanceof(Uint8Array).refine(({ length }) => length <= signatureBytesMax)
}
const progress = { round: count, age: count, samples: count }
const travelling = { ...progress, lineage: digest, digest }

/** A message's type byte, the fields of its header, and what its payload is. */
const formats = {
  hello: {
    type: 1,
    header: z.object({
      ...progress,
      lineage: digest.nullable(),
      task: cid.nullable(),
      layout: digest.nullable(),
      ...signed,
      offers: z.array(cid).max(offersPerHelloMax),
      known: z.boolean()
    }),
    payload: null
  },
  peers: {
    type: 2,
    header: z.object({
      records: z.array(z.object({ ...signed, heard: count })).max(recordsPerMessageMax)
    }),
    payload: null
  },
  want: {
    type: 3,
    header: z.object({ what: z.enum(['task', 'state']), task: cid.nullable() }),
    payload: null
  },
  task: { type: 4, header: z.object({}), payload: 'manifest' },
  state: { type: 5, header: z.object(travelling), payload: 'parameters' },
  update: {
    type: 6,
    header: z.object({
      ...travelling,
      phase: z.enum(['push', 'reply', 'round', 'trained', 'aggregate']),
      exchange: count,
      degree: count
    }),
    payload: 'parameters'
  },
  decline: { type: 7, header: z.object({ exchange: count }), payload: null },
  leave: { type: 8, header: z.object({}), payload: null },
  view: {
    type: 9,
    header: z.object({
      entries: z
        .array(
          z.object({ peer: peerId, addresses, round: count, counter: count, left: z.boolean() })
        )
        .max(viewEntriesPerMessageMax)
    }),
    payload: null
  },
  ping: { type: 10, header: z.object({ round: count }), payload: null },
  pong: {
    type: 11,
    header: z.object({ round: count, newest: count, trains: z.boolean() }),
    payload: null
  }
} as const satisfies Record<
  Message['kind'],
  { type: number; header: z.ZodType; payload: 'manifest' | 'parameters' | null }
>

const kinds = Object.keys(formats) as Message['kind'][]

/** A frame as pieces, so that a model is sent without copying it. Only here does a model get its digest. */
export function encodeFrame(message: Message): Uint8Array[] {
  const format = formats[message.kind]
  const header = encode(format.header.parse(withDigest(message, fieldsOf(message))))
  const payload = payloadOf(message)

  const prefix = new Uint8Array(prefixBytes)
  prefix.set([...magic, version, format.type])
  const view = new DataView(prefix.buffer)
  view.setUint32(4, header.length, true)
  view.setUint32(8, payload?.length ?? 0, true)
  return payload === undefined ? [prefix, header] : [prefix, header, payload]
}

/** Bytes that a message takes on the wire: those of `encodeFrame`, counted without encoding. */
export function frameBytes(message: Message): number {
  const payload = payloadOf(message)
  const digest = 'parameters' in message ? { digest: someDigest } : {}
  const header = cborBytes({
    ...fieldsOf(message),
    ...digest,
    kind: undefined,
    parameters: undefined,
    manifest: undefined
  })
  return prefixBytes + header + (payload?.length ?? 0)
}

/**
 * Read a prefix and decide, before anything is allocated, whether the rest is welcome.
 * @param bytes - exactly prefixBytes
 * @param layout - of our task, which fixes the size of a model; null while we have none, and then
 *   no model is welcome
 */
export function decodePrefix(bytes: Uint8Array, layout: Layout | null): Prefix | WireFault {
  if (bytes.length !== prefixBytes) return 'malformed'
  if (bytes[0] !== magic[0] || bytes[1] !== magic[1] || bytes[2] !== version) return 'malformed'
  const kind = kinds.find((candidate) => formats[candidate].type === bytes[3])
  if (kind === undefined) return 'malformed'

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = view.getUint32(4, true)
  const payloadBytes = view.getUint32(8, true)
  if (headerBytes === 0) return 'malformed'
  if (headerBytes > headerBytesMax) return 'too-large'

  const { type, payload } = formats[kind]
  const largest = payloadBytesMax(payload, layout)
  if (payloadBytes > largest) return 'too-large'
  if (payload === 'parameters' && payloadBytes !== largest) return 'malformed'
  if (payload === 'manifest' && payloadBytes === 0) return 'malformed'
  return { type, headerBytes, payloadBytes }
}

/**
 * Read the rest of a frame.
 * @param body - exactly headerBytes + payloadBytes; nobody else uses it afterwards
 */
export function decodeBody(prefix: Prefix, body: Uint8Array): Message | WireFault {
  const kind = kinds.find((candidate) => formats[candidate].type === prefix.type)
  if (kind === undefined || body.length !== prefix.headerBytes + prefix.payloadBytes) {
    return 'malformed'
  }
  const format = formats[kind]
  let decoded: unknown
  try {
    decoded = decode(body.subarray(0, prefix.headerBytes))
  } catch {
    return 'malformed' // not dag-cbor, or nested so deep that the decoder gives up
  }
  const header = format.header.safeParse(decoded)
  if (!header.success) return 'malformed'

  const fields = withRecords({ kind, ...header.data } as Header)
  if (fields === undefined) return 'malformed'
  switch (format.payload) {
    case null:
      return fields as Message
    case 'manifest':
      return { ...fields, manifest: body.slice(prefix.headerBytes) } as Message
    case 'parameters':
      return { ...fields, parameters: parametersFrom(body, prefix.headerBytes) } as Message
  }
}

/** What goes into a header, and more: records as bytes. */
function fieldsOf(message: Message): object {
  if (message.kind === 'hello') return { ...message, ...piecesOf(message.record) }
  if (message.kind !== 'peers') return message
  const records = message.records.map(({ signed, heardSecondsAgo }) => ({
    ...piecesOf(signed),
    heard: heardSecondsAgo
  }))
  return { records }
}

function piecesOf({ bytes, signature }: SignedRecord): {
  record: Uint8Array
  signature: Uint8Array
} {
  return { record: bytes, signature }
}

type Header = {
  [Kind in Message['kind']]: { kind: Kind } & z.infer<(typeof formats)[Kind]['header']>
}[Message['kind']]

/** What came in a header, with records in place of their bytes; undefined where those are none. */
function withRecords(fields: Header): object | undefined {
  if (fields.kind === 'hello') {
    const { signature, ...rest } = fields
    const record = SignedRecord.read(fields.record, signature)
    return record && { ...rest, record }
  }
  if (fields.kind !== 'peers') return fields
  const records: ToldRecord[] = []
  for (const { record, signature, heard } of fields.records) {
    const signed = SignedRecord.read(record, signature)
    if (signed === undefined) return undefined
    records.push({ signed, heardSecondsAgo: heard })
  }
  return { kind: fields.kind, records }
}

function withDigest(message: Message, fields: object): object {
  if (!('parameters' in message)) return fields
  return { ...fields, digest: message.digest ?? contentDigest(message.parameters) }
}

/** As long as any. */
const someDigest = '0'.repeat(64)

function payloadOf(message: Message): Uint8Array | undefined {
  switch (message.kind) {
    case 'task':
      return message.manifest
    case 'state':
    case 'update':
      return bytesOf(message.parameters)
    case 'hello':
    case 'peers':
    case 'want':
    case 'decline':
    case 'leave':
    case 'view':
    case 'ping':
    case 'pong':
      return undefined
  }
}

function payloadBytesMax(payload: 'manifest' | 'parameters' | null, layout: Layout | null): number {
  switch (payload) {
    case null:
      return 0
    case 'manifest':
      return manifestBytesMax
    case 'parameters':
      return layout === null ? 0 : layout.parameterCount * Float32Array.BYTES_PER_ELEMENT
  }
}

/** A Float32Array wants its bytes at a multiple of four: copied only when they are not. */
function parametersFrom(body: Uint8Array, offset: number): Float32Array {
  const start = body.byteOffset + offset
  const length = (body.length - offset) / Float32Array.BYTES_PER_ELEMENT
  return start % Float32Array.BYTES_PER_ELEMENT === 0
    ? new Float32Array(body.buffer, start, length)
    : new Float32Array(body.slice(offset).buffer)
}
