import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupsOf } from '../../../peer/network/place.ts'
import {
  decodeBindingRequest,
  decodeBindingSuccess,
  encodeBindingRequest,
  encodeBindingSuccess,
  stunBytesMax
} from '../../../peer/nat/stun-message.ts'

const transaction = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex')

describe('STUN', () => {
  it('reads the sample answers of RFC 5769', () => {
    // Sections 2.2 and 2.3, without the integrity attributes, which need a password.
    const ip4 = Buffer.from(
      '0101000c2112a442b7e7a701bc34d686fa87dfae' + '002000080001a147e112a643',
      'hex'
    )
    expect(decodeBindingSuccess(ip4, transaction)).toEqual({ ip: '192.0.2.1', port: 32853 })
    const ip6 = Buffer.from(
      '010100182112a442b7e7a701bc34d686fa87dfae' +
        '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
      'hex'
    )
    expect(decodeBindingSuccess(ip6, transaction)).toEqual({
      ip: '2001:db8:1234:5678:11:2233:4455:6677',
      port: 32853
    })
  })

  it('writes what it reads', () => {
    const ips = fc.oneof(fc.ipV4(), fc.ipV6())
    const transactions = fc.uint8Array({ minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(ips, fc.nat(65_535), transactions, (ip, port, id) => {
        const request = encodeBindingRequest(id)
        expect(Buffer.from(id).equals(decodeBindingRequest(request) ?? Buffer.alloc(0))).toBe(true)
        const read = decodeBindingSuccess(encodeBindingSuccess(id, { ip, port }), id)
        expect(read?.port).toBe(port)
        expect(read && normal(read.ip)).toEqual(normal(ip))
      })
    )
  })

  it('takes an IPv4 address that a socket for both calls IPv6 for what it is', () => {
    const bytes = encodeBindingSuccess(transaction, { ip: '::ffff:192.0.2.1', port: 1 })
    expect(decodeBindingSuccess(bytes, transaction)?.ip).toBe('192.0.2.1')
  })

  it('reads attributes that may be ignored over, and answers no demands', () => {
    const withAttribute = (type: string) =>
      Buffer.from(`000100082112a442${transaction.toString('hex')}${type}000401020304`, 'hex')
    expect(decodeBindingRequest(withAttribute('8022'))).toEqual(transaction) // SOFTWARE
    expect(decodeBindingRequest(withAttribute('0003'))).toBeUndefined() // CHANGE-REQUEST
  })

  it.each([
    ['an answer', '01010000', '2112a442'],
    ['an indication', '00110000', '2112a442'],
    ['another length', '00010004', '2112a442'],
    ['no cookie', '00010000', '2112a443']
  ])('takes %s for no request', (_, head, cookie) => {
    const bytes = Buffer.from(head + cookie + transaction.toString('hex'), 'hex')
    expect(decodeBindingRequest(bytes)).toBeUndefined()
  })

  it('believes no answer to another question', () => {
    const bytes = encodeBindingSuccess(transaction, { ip: '192.0.2.1', port: 1 })
    expect(decodeBindingSuccess(bytes, Buffer.alloc(12))).toBeUndefined()
  })

  it('survives any bytes, also such as begin well', () => {
    const any = fc.uint8Array({ maxLength: stunBytesMax + 10 })
    const begun = any.map((rest) => {
      const head = Buffer.from(encodeBindingRequest(transaction))
      head.writeUInt16BE(rest.length, 2)
      return Buffer.concat([head, rest])
    })
    fc.assert(
      fc.property(fc.oneof(any, begun), (bytes) => {
        decodeBindingRequest(bytes)
        decodeBindingSuccess(bytes, transaction)
        if (bytes.length > 1) {
          const answer = Buffer.from(bytes)
          answer.writeUInt16BE(0x0101, 0)
          decodeBindingSuccess(answer, transaction)
        }
      }),
      { numRuns: 2_000 }
    )
  })
})

/** The same for all ways there are to write an address. */
function normal(ip: string): readonly string[] {
  return ip.includes(':') ? groupsOf(ip) : [ip]
}
