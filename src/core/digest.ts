import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** SHA-256 in hex of the bytes behind an array: 64 characters. */
export function sha256Hex(data: ArrayBufferView): string {
  return bytesToHex(sha256(bytesOf(data)))
}

/** The same memory, seen as bytes. Numbers are little-endian on every machine that Node runs on here. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
