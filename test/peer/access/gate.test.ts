import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { beforeAll, describe, expect, it } from 'vitest'
import { nobody, parseAllowList } from '../../../peer/access/allow-list.ts'
import { encodeChain, decodeChain, type Chain } from '../../../peer/access/certificate.ts'
import { Gate, type GateOptions } from '../../../peer/access/gate.ts'
import { accept, invite, type InvitationRequest } from '../../../peer/access/invitation.ts'
import { tinyTask } from '../../tiny-task.ts'

/** What a member decides by itself, with nobody to ask. */

const task = tinyTask(1).cid
const dayMs = 86_400_000
const nowMs = 20_000 * dayMs

const names = ['ana', 'ben', 'cleo', 'dora', 'eve'] as const
type Name = (typeof names)[number]
const keys = {} as Record<Name, Ed25519PrivateKey>
beforeAll(async () => {
  for (const name of names) keys[name] = await generateKeyPair('Ed25519')
})
const id = (name: Name): string => keys[name].publicKey.toString()

async function letter(
  from: Name,
  to: Name,
  request: Partial<InvitationRequest> = {},
  own?: Chain
): Promise<Chain> {
  const whole = { task, subject: id(to), days: 10, uses: 0, mayInvite: false, nowMs, ...request }
  return accept(await invite(whole, keys[from], own), id(to), whole.nowMs)
}

function gate(self: Name, options: Partial<GateOptions> = {}): Gate {
  return new Gate({
    ...{ self: id(self), mode: 'invited', task, allow: nobody, chain: undefined, helpers: [] },
    uses: new Map(),
    onUsed: () => undefined,
    ...options
  })
}

const verdict = async (at: Gate, who: Name, chain: Chain | undefined, whenMs = nowMs) => {
  const judged = await at.admit(id(who), chain, whenMs)
  return judged.isIn ? 'in' : judged.reason
}

describe('a gate that wants invitations', () => {
  it('lets in whom its own peer invited, and nobody by the word of strangers', async () => {
    expect(await verdict(gate('ana'), 'ben', await letter('ana', 'ben'))).toBe('in')
    expect(await verdict(gate('ana'), 'ben', await letter('eve', 'ben'))).toBe('issuer')
    expect(await verdict(gate('ana'), 'ben', undefined)).toBe('no-invitation')
  })

  it('trusts who invited its own peer: the founder without, and all whom she invited', async () => {
    const bens = gate('ben', { chain: await letter('ana', 'ben') })
    expect(await verdict(bens, 'ana', undefined)).toBe('in')
    expect(await verdict(bens, 'cleo', await letter('ana', 'cleo'))).toBe('in')
    expect(await verdict(bens, 'eve', await letter('cleo', 'eve'))).toBe('issuer')
  })

  it('takes an invitation from nobody but the one that it is made out to', async () => {
    expect(await verdict(gate('ana'), 'eve', await letter('ana', 'ben'))).toBe('subject')
  })

  it('takes none for another task, and any while it has no task itself', async () => {
    const other = await letter('ana', 'ben', { task: tinyTask(2).cid })
    expect(await verdict(gate('ana'), 'ben', other)).toBe('task')
    expect(await verdict(gate('ana', { task: null }), 'ben', other)).toBe('in')
  })

  it('is a day patient with clocks, after which the invitation has ended', async () => {
    const ten = await letter('ana', 'ben')
    expect(await verdict(gate('ana'), 'ben', ten, nowMs + 10.9 * dayMs)).toBe('in')
    expect(await verdict(gate('ana'), 'ben', ten, nowMs + 11.1 * dayMs)).toBe('expired')
    const open = gate('ana')
    await open.admit(id('ben'), ten, nowMs)
    expect(open.isMember(id('ben'), nowMs + 10.9 * dayMs)).toBe(true)
    expect(open.isMember(id('ben'), nowMs + 11.1 * dayMs)).toBe(false)
  })

  it('sees every changed byte of what was signed', async () => {
    const [pair] = encodeChain(await letter('ana', 'ben'))
    const [body, signature] = pair!
    for (const at of [5, body.length >> 1, body.length - 1]) {
      const changed = Uint8Array.from(body)
      changed[at] = changed[at]! ^ 1
      const chain = decodeChain([[changed, signature]])
      if (chain !== undefined) expect(await verdict(gate('ana'), 'ben', chain)).not.toBe('in')
    }
    const forged = decodeChain([
      [body, Uint8Array.from(signature, (byte, i) => (i === 9 ? byte ^ 1 : byte))]
    ])
    expect(await verdict(gate('ana'), 'ben', forged)).toBe('signature')
  })

  it('lets in by a right that was passed on, and by none that was not', async () => {
    const bens = await letter('ana', 'ben', { mayInvite: true })
    const cleos = await letter('ben', 'cleo', {}, bens)
    expect(await verdict(gate('ana'), 'cleo', cleos)).toBe('in')
    await expect(letter('cleo', 'dora', {}, cleos)).rejects.toThrow(/does not let you invite/)

    const plain = await letter('ana', 'ben')
    await expect(letter('ben', 'cleo', {}, plain)).rejects.toThrow(/does not let you invite/)
    const [end] = await letter('ben', 'cleo') // signed all the same
    expect(await verdict(gate('ana'), 'cleo', [...plain, end!])).toBe('chain')
  })

  it('ends what was passed on no later than the right to', async () => {
    const bens = await letter('ana', 'ben', { mayInvite: true, days: 2 })
    const cleos = await letter('ben', 'cleo', { days: 300 }, bens)
    expect(await verdict(gate('ana'), 'cleo', cleos, nowMs + 3.5 * dayMs)).toBe('expired')
  })

  it('lets in whoever has a link, each of them by a chain that is good for nobody else', async () => {
    const link = await invite(
      { task, subject: null, days: 1, uses: 2, mayInvite: false, nowMs },
      keys.ana,
      undefined
    )
    const [bens, cleos, doras] = await Promise.all(
      (['ben', 'cleo', 'dora'] as const).map((name) => accept(link, id(name), nowMs))
    )
    const anas = gate('ana')
    expect(await verdict(anas, 'eve', bens)).toBe('subject')
    expect(await verdict(anas, 'ben', bens)).toBe('in')
    expect(await verdict(anas, 'cleo', cleos)).toBe('in')
    expect(await verdict(anas, 'dora', doras)).toBe('used-up')
    expect(await verdict(anas, 'ben', bens)).toBe('in') // again, as after a restart
  })

  it('denies whom the list denies, and whom they invited', async () => {
    const bens = await letter('ana', 'ben', { mayInvite: true })
    const cleos = await letter('ben', 'cleo', {}, bens)
    const open = gate('ana')
    await open.admit(id('cleo'), cleos, nowMs)
    open.allow = parseAllowList(`deny ${id('ben')}`, 'test')
    expect(open.isMember(id('cleo'), nowMs)).toBe(false)
    expect(await verdict(open, 'cleo', cleos)).toBe('denied')
    expect(await verdict(open, 'ben', bens)).toBe('denied')
    expect(open.mayConnect(id('ben'))).toBe(false)
  })

  it('lets in those of its list without, and whom they invite when it says so', async () => {
    const allow = parseAllowList(`${id('ben')} invites\n${id('cleo')}`, 'test')
    const listed = gate('ana', { allow })
    expect(await verdict(listed, 'cleo', undefined)).toBe('in')
    expect(await verdict(listed, 'dora', await letter('ben', 'dora'))).toBe('in')
    expect(await verdict(listed, 'dora', await letter('cleo', 'dora'))).toBe('in')
    expect(await verdict(gate('ana', { allow }), 'eve', await letter('cleo', 'eve'))).toBe('issuer')
  })

  it('does not dial who refused us for a while, unless the user said to', () => {
    const open = gate('ana', { helpers: [id('cleo')] })
    open.parted(id('ben'), nowMs)
    open.parted(id('cleo'), nowMs)
    expect(open.mayDial(id('ben'), nowMs + 60_000)).toBe(false)
    expect(open.mayDial(id('ben'), nowMs + 600_000)).toBe(true)
    expect(open.mayDial(id('cleo'), nowMs)).toBe(true)
  })
})

describe('a gate with a list alone', () => {
  it('has no connection with others, whatever they would show', async () => {
    const listed = gate('ana', { mode: 'listed', allow: parseAllowList(id('ben'), 'test') })
    expect(listed.mayConnect(id('ben'))).toBe(true)
    expect(listed.mayConnect(id('eve'))).toBe(false)
    expect(await verdict(listed, 'eve', await letter('ana', 'eve'))).toBe('no-invitation')
  })

  it('has one with who it was told to join, which is no member for that', () => {
    const listed = gate('ana', { mode: 'listed', helpers: [id('ben')] })
    expect(listed.mayConnect(id('ben'))).toBe(true)
    expect(listed.isMember(id('ben'), nowMs)).toBe(false)
  })
})

describe('an allow list', () => {
  it('is ids and comments', () => {
    const text = `\uFEFF# mine\r\n\r\n${id('ben')}  # the laptop\r\n  ${id('cleo')} invites\n deny ${id('eve')}`
    expect(parseAllowList(text, 'list')).toEqual({
      members: new Set([id('ben'), id('cleo')]),
      inviters: new Set([id('cleo')]),
      denied: new Set([id('eve')])
    })
  })

  it.each([
    ['12D3KooWnonsense', /list, line 2: '12D3KooWnonsense' should be a peer id/],
    ['deny', /line 2/],
    ['deny all', /line 2/],
    ['12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st invite', /line 2.*invites/]
  ])('with the line %j is refused, by its number', (line, message) => {
    expect(() => parseAllowList(`# first\n${line}`, 'list')).toThrow(message)
  })
})
