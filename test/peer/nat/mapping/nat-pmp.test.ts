import { createSocket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import { NatPmp } from '../../../../peer/nat/mapping/nat-pmp.ts'
import {
  addressAnswer,
  honest,
  mapAnswer,
  natPmpRouter,
  readMapQuestion,
  refusal,
  type Answers,
  type FakeNatPmp
} from './nat-pmp-router.ts'

const wish = {
  protocol: 'TCP',
  internalHost: '127.0.0.1',
  internalPort: 4001,
  externalPort: 4001
} as const

describe('a router that is asked by NAT-PMP', () => {
  let router: FakeNatPmp | undefined
  afterEach(() => router?.close())

  const asking = async (answers: Answers, nowMs?: () => number): Promise<NatPmp> => {
    router = await natPmpRouter(answers)
    return new NatPmp('127.0.0.1', router.port, nowMs)
  }

  it('tells its address, forwards a port and ends that again', async () => {
    const natPmp = await asking(honest())
    expect(await natPmp.externalIp()).toBe('11.0.0.7')
    expect(await natPmp.forward(wish)).toEqual({ externalPort: 4001, lifetimeSeconds: 7_200 })
    await natPmp.release(wish)
    const end = router?.asked.at(-1) ?? Buffer.alloc(12)
    expect(readMapQuestion(end)).toMatchObject({
      internalPort: 4001,
      externalPort: 0,
      lifetimeSeconds: 0
    })
  })

  it('may give another port and time', async () => {
    const given = { externalPort: 5_000, lifetimeSeconds: 120 }
    const natPmp = await asking((bytes) => [mapAnswer(readMapQuestion(bytes), given, 1)])
    expect(await natPmp.forward(wish)).toEqual(given)
  })

  it('is asked again when a datagram is lost', async () => {
    let questions = 0
    const natPmp = await asking((...question) => (++questions < 3 ? [] : honest()(...question)))
    expect(await natPmp.externalIp()).toBe('11.0.0.7')
    expect(questions).toBe(3)
  })

  it('that refuses is believed at once, with its reason', async () => {
    const natPmp = await asking((bytes) => [refusal(128 + (bytes[1] ?? 0), 2, 1)])
    await expect(natPmp.externalIp()).rejects.toThrow('told to forward no ports')
    await expect(natPmp.forward(wish)).rejects.toMatchObject({ code: 'STARLING_UNREACHABLE' })
    expect(router?.asked).toHaveLength(2)
  })

  it('is waited for through short datagrams, wrong codes and noise', async () => {
    const noise = [Buffer.alloc(0), Buffer.of(0), Buffer.alloc(7), Buffer.alloc(2_000, 0xff)]
    const wrong = [mapAnswer(wish, { externalPort: 1, lifetimeSeconds: 1 }, 1)]
    const natPmp = await asking(() => [...noise, ...wrong, addressAnswer('11.0.0.9', 1)])
    expect(await natPmp.externalIp()).toBe('11.0.0.9')
  })

  it('is the only one that is heard: an answer from another port is not', async () => {
    const stranger = createSocket('udp4')
    const natPmp = await asking((bytes, asker) => {
      if (router?.asked.length === 2) return honest()(bytes, asker, stranger)
      stranger.send(addressAnswer('11.6.6.6', 1), asker.port, asker.address)
      return []
    })
    expect(await natPmp.externalIp()).toBe('11.0.0.7')
    stranger.close()
  })

  it('that never answers is given up after four questions', async () => {
    const natPmp = await asking(() => [])
    await expect(natPmp.externalIp()).rejects.toThrow('does not speak NAT-PMP')
    expect(router?.asked).toHaveLength(4)
  })

  it('is not waited for when nobody needs it any longer', async () => {
    const natPmp = await asking(() => [])
    await expect(natPmp.externalIp(AbortSignal.timeout(20))).rejects.toThrow('nobody waits')
    await expect(natPmp.externalIp(AbortSignal.abort())).rejects.toThrow('nobody waits')
  })

  it('is nobody when its port is closed', async () => {
    const natPmp = await asking(() => [])
    router?.close()
    router = undefined
    await expect(natPmp.externalIp()).rejects.toThrow('no answer')
  })

  it('tells by its clock that it restarted', async () => {
    let [epochSeconds, nowMs] = [1_000, 0]
    const natPmp = await asking(
      honest(() => epochSeconds),
      () => nowMs
    )
    await natPmp.externalIp()
    ;[epochSeconds, nowMs] = [1_027, 30_000] // an eighth slow, within the tolerance
    await natPmp.externalIp()
    expect(natPmp.hasRestarted()).toBe(false)
    ;[epochSeconds, nowMs] = [1_027, 60_000]
    await natPmp.externalIp()
    expect(natPmp.hasRestarted()).toBe(true)
    expect(natPmp.hasRestarted()).toBe(false)
  })
})
