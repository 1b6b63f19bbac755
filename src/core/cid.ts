import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

const dagCborCode = 0x71
const sha256Code = 0x12

/** CIDv1 of bytes in dag-cbor, by SHA2-256: `bafyrei…`. */
export function cidOf(bytes: Uint8Array): string {
  return CID.createV1(dagCborCode, Digest.create(sha256Code, sha256(bytes))).toString()
}
