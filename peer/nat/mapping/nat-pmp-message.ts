/**
 * NAT-PMP messages: "what is your public address?" and "forward this port to me".
 * https://www.rfc-editor.org/rfc/rfc6886, sections 3.2 to 3.5.
 */

/** UDP port at which routers are asked. */
export const natPmpPort = 5351

export type Protocol = 'TCP' | 'UDP'

const version = 0
const addressCode = 0
const mapCodes = { UDP: 1, TCP: 2 } as const
/** An answer has the question's code, and this. */
const isAnswer = 128

const refusalBytesMin = 8
const addressAnswerBytes = 12
const mapAnswerBytes = 16

export interface MapQuestion {
  readonly protocol: Protocol
  readonly internalPort: number
  /** The one we would like; 0 when the mapping is to end, or any will do. */
  readonly externalPort: number
  /** 0 ends the mapping. */
  readonly lifetimeSeconds: number
}

/** What every answer tells. */
interface Answer {
  /** 0 for success: see `refusalOf`. */
  readonly result: number
  /** Seconds since the router knows of its mappings: small again after a restart. */
  readonly epochSeconds: number
}

export interface AddressAnswer extends Answer {
  /** Dotted; null in a refusal. */
  readonly externalIp: string | null
}

export interface MapAnswer extends Answer {
  /** What it gave; null in a refusal. */
  readonly granted: Pick<MapQuestion, 'externalPort' | 'lifetimeSeconds'> | null
}

export function encodeAddressQuestion(): Uint8Array {
  return Uint8Array.of(version, addressCode)
}

export function encodeMapQuestion(question: MapQuestion): Uint8Array {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt8(version, 0)
  bytes.writeUInt8(mapCodes[question.protocol], 1)
  bytes.writeUInt16BE(question.internalPort, 4)
  bytes.writeUInt16BE(question.externalPort, 6)
  bytes.writeUInt32BE(question.lifetimeSeconds, 8)
  return bytes
}

/** @returns undefined for all that answers no such question */
export function decodeAddressAnswer(bytes: Uint8Array): AddressAnswer | undefined {
  const answer = readAnswer(bytes, addressCode, addressAnswerBytes)
  if (answer === undefined) return undefined
  const { head, buffer } = answer
  return { ...head, externalIp: head.result === 0 ? buffer.subarray(8, 12).join('.') : null }
}

/** @returns undefined for all that does not answer this question */
export function decodeMapAnswer(bytes: Uint8Array, question: MapQuestion): MapAnswer | undefined {
  const answer = readAnswer(bytes, mapCodes[question.protocol], mapAnswerBytes)
  if (answer === undefined) return undefined
  const { head, buffer } = answer
  if (head.result !== 0) return { ...head, granted: null }
  if (buffer.readUInt16BE(8) !== question.internalPort) return undefined
  const externalPort = buffer.readUInt16BE(10)
  const lifetimeSeconds = buffer.readUInt32BE(12)
  const isEnd = question.lifetimeSeconds === 0
  if (!isEnd && (externalPort === 0 || lifetimeSeconds === 0)) return undefined
  return { ...head, granted: { externalPort, lifetimeSeconds } }
}

/** Refusals may be cut short behind the epoch; more than is expected is not looked at. */
function readAnswer(
  bytes: Uint8Array,
  code: number,
  bytesMin: number
): { head: Answer; buffer: Buffer } | undefined {
  if (bytes.length < refusalBytesMin) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.readUInt8(0) !== version || buffer.readUInt8(1) !== isAnswer + code) return undefined
  const result = buffer.readUInt16BE(2)
  if (result === 0 && bytes.length < bytesMin) return undefined
  return { head: { result, epochSeconds: buffer.readUInt32BE(4) }, buffer }
}

/** Section 3.5, for people. */
export function refusalOf(result: number): string {
  return refusals[result] ?? `refusal ${result}`
}

const refusals: Readonly<Record<number, string>> = {
  1: 'it speaks another version',
  2: 'it was told to forward no ports, which its settings may change',
  3: 'it has no network, or no public address, itself',
  4: 'it has no ports left',
  5: 'it cannot do that'
}
