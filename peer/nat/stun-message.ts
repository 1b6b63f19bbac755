import { groupsOf } from '../network/place.ts'

/**
 * STUN binding messages: "from which address do you see me?"
 * https://www.rfc-editor.org/rfc/rfc8489, sections 5, 14.2 and 15.
 */

const headerBytes = 20
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const magicCookie = 0x2112a442
const xorMappedAddress = 0x0020
/** Attributes from here on may be ignored by those who do not know them. */
const optionalFrom = 0x8000

/** Of a whole message, as RFC 8489 wants it where the path's MTU is not known. Longer: not read. */
export const stunBytesMax = 548

export interface StunAddress {
  readonly ip: string
  readonly port: number
}

/** @param transaction - 12 bytes, by chance: an answer must name them */
export function encodeBindingRequest(transaction: Uint8Array): Uint8Array {
  return message(bindingRequest, transaction, new Uint8Array())
}

/**
 * @returns its transaction; undefined for all that is no binding request, or demands something that
 *   we do not understand
 */
export function decodeBindingRequest(bytes: Uint8Array): Uint8Array | undefined {
  const read = readMessage(bytes)
  if (read?.type !== bindingRequest) return undefined
  for (const { type } of read.attributes) if (type < optionalFrom) return undefined
  return read.transaction
}

export function encodeBindingSuccess(transaction: Uint8Array, address: StunAddress): Uint8Array {
  const ip = bytesOf(address.ip)
  const value = Buffer.alloc(4 + ip.length)
  value.writeUInt8(ip.length === 4 ? 1 : 2, 1)
  value.writeUInt16BE(address.port ^ (magicCookie >>> 16), 2)
  value.set(masked(ip, transaction), 4)
  const head = Buffer.alloc(4)
  head.writeUInt16BE(xorMappedAddress, 0)
  head.writeUInt16BE(value.length, 2)
  return message(bindingSuccess, transaction, Buffer.concat([head, value]))
}

/** @returns undefined unless it is the success that answers this transaction */
export function decodeBindingSuccess(
  bytes: Uint8Array,
  transaction: Uint8Array
): StunAddress | undefined {
  const read = readMessage(bytes)
  if (read?.type !== bindingSuccess || !read.transaction.equals(transaction)) return undefined
  const value = read.attributes.find(({ type }) => type === xorMappedAddress)?.value
  if (value === undefined || value.length < 4) return undefined
  const family = value.readUInt8(1)
  const ip = masked(value.subarray(4), transaction)
  if (ip.length !== (family === 1 ? 4 : 16) || (family !== 1 && family !== 2)) return undefined
  return { ip: textOf(ip), port: value.readUInt16BE(2) ^ (magicCookie >>> 16) }
}

function message(type: number, transaction: Uint8Array, attributes: Uint8Array): Buffer {
  const head = Buffer.alloc(headerBytes)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(attributes.length, 2)
  head.writeUInt32BE(magicCookie, 4)
  head.set(transaction, 8)
  return Buffer.concat([head, attributes])
}

interface Read {
  readonly type: number
  readonly transaction: Buffer
  readonly attributes: readonly { readonly type: number; readonly value: Buffer }[]
}

function readMessage(bytes: Uint8Array): Read | undefined {
  if (bytes.length < headerBytes || bytes.length > stunBytesMax) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.readUInt32BE(4) !== magicCookie) return undefined
  if (buffer.readUInt16BE(2) !== buffer.length - headerBytes) return undefined
  const attributes = []
  let at = headerBytes
  while (at < buffer.length) {
    if (at + 4 > buffer.length) return undefined
    const length = buffer.readUInt16BE(at + 2)
    if (at + 4 + length > buffer.length) return undefined
    attributes.push({
      type: buffer.readUInt16BE(at),
      value: buffer.subarray(at + 4, at + 4 + length)
    })
    at += 4 + Math.ceil(length / 4) * 4
  }
  return { type: buffer.readUInt16BE(0), transaction: buffer.subarray(8, headerBytes), attributes }
}

/** Against routers that rewrite addresses wherever they see them. Its own inverse. */
function masked(ip: Uint8Array, transaction: Uint8Array): Buffer {
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(magicCookie, 0)
  mask.set(transaction, 4)
  return Buffer.from(ip.map((byte, i) => byte ^ (mask[i] ?? 0)))
}

function bytesOf(ip: string): Uint8Array {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined || !ip.includes(':')) {
    return Uint8Array.from((mapped ?? ip).split('.').map(Number))
  }
  return Uint8Array.from(
    groupsOf(ip).flatMap((group) => {
      const value = Number.parseInt(group, 16)
      return [value >>> 8, value & 0xff]
    })
  )
}

function textOf(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join('.')
  const buffer = Buffer.from(ip)
  return Array.from({ length: 8 }, (_, i) => buffer.readUInt16BE(2 * i).toString(16)).join(':')
}
