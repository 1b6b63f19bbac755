import { describe, expect, it, onTestFinished } from 'vitest'
import { chooseAdversaries } from '../../../sim/adversaries/choose.ts'
import { learner } from '../../../sim/learning/learner.ts'
import { measure, type Measurement } from '../../../sim/results/measure.ts'
import { type LearningFactory, type Result } from '../../../sim/run.ts'
import { runTwice } from '../../../sim/twice.ts'
import { parseScenario } from '../../../sim/scenario.ts'
import { TrainPool } from '../../../sim/learning/train-pool.ts'
import { topologyOf, World } from '../../../sim/world.ts'
import { present } from '../../../src/core/assert.ts'
import { Random } from '../../../src/core/random.ts'
import { bowls, bowlsOf, live, type Seen } from '../worlds.ts'

const kinds = [
  'sign-flip',
  'gaussian',
  'alie',
  'ipm',
  'label-flip',
  'dissensus',
  'mimic',
  'zero',
  'replay',
  'free-rider',
  'nan',
  'random',
  'same-value',
  'drift',
  'equivocate',
  'noisy-labels',
  'one-class',
  'backdoor',
  'download-only',
  'silent',
  'late',
  'stale',
  'future',
  'echo',
  'garbage',
  'flood',
  'stranger',
  'unasked',
  'contacts',
  'records'
]
const modes = ['rounds', 'gossip']
const cases = modes.flatMap((mode) => kinds.map((kind) => [mode, kind] as const))

/** Each kind in one of the modes. */
const alternating = kinds.map((kind, i) => [i % 2 === 0 ? 'rounds' : 'gossip', kind] as const)

interface Sent {
  readonly round: number
  readonly parameters: string
}

/** What arrived of a peer's models, with parameters as their fingerprints. */
function updatesFrom(seen: readonly Seen[], peer: string): Sent[] {
  return seen
    .filter(({ source, what }) => source === 'input' && what.kind === 'message')
    .filter(({ what }) => what.from === peer)
    .map(({ what }) => what.message as Sent & { kind: string })
    .filter(({ kind }) => kind === 'update')
}
const byRound = (sent: readonly Sent[]): Map<number, string> =>
  new Map(sent.map(({ round, parameters }) => [round, parameters]))

const neighbourless = (seen: readonly Seen[], peer: string): boolean =>
  !seen.some((each) => each.peer === peer && each.what.kind === 'peerUp')

/** No learning: only what merging does to models shows. */
const still = bowlsOf({ weights: [8, 8], deviation: 1, learningRate: 0 })

describe('every kind of adversary', () => {
  it.each(cases)('in %s, %s lies, is counted, and breaks nothing', async (mode, kind) => {
    const { result } = await live(`
      exchange={ mode: ${mode}, intervalSeconds: 1 }
      topology={ kind: complete }
      adversaries=[{ kind: ${kind}, count: 2 }]`)
    expect(result.adversaries).toEqual({ [kind]: { planned: 2, fired: 2 } })
    expect(result.checks).toContainEqual({
      metric: `adversaries.${kind}.fired`,
      atLeast: 2,
      value: 2,
      pass: true
    })
    expect(result.broken).toEqual([])
    expect(result.pass).toBe(true)
    expect(result.final.alive).toBe(4)
    expect(result.curve.map(({ round }) => round)).toEqual([2, 4, 6, 8])
  })

  it.each(cases)(
    'in %s, %s cannot hang a peer that has no other neighbours',
    async (mode, kind) => {
      const { result } = await live(`
      exchange={ mode: ${mode}, intervalSeconds: 1, deadlineSeconds: 5 }
      topology={ kind: complete }
      adversaries=[{ kind: ${kind}, select: [0, 1, 2, 4, 5] }]`)
      expect(result.broken).toEqual([])
      expect(result.final.alive).toBe(1)
      expect(result.checks.find(({ metric }) => metric === 'unfinishedPeers')?.pass).toBe(true)
      expect(result.virtualSeconds).toBeLessThan(8 * 6 + 1) // a deadline and a rest for each round
    }
  )

  it.each(alternating)('in %s, %s may crash and come back', async (mode, kind) => {
    const { result } = await live(`
      exchange={ mode: ${mode}, intervalSeconds: 1 }
      topology={ kind: complete }
      rounds=12
      faults=[{ kind: crash, select: [2, 3], atRound: 3, restartAfterRounds: 3 }]
      adversaries=[{ kind: ${kind}, select: [2, 5] }]`)
    expect(result.adversaries).toEqual({ [kind]: { planned: 2, fired: 2 } })
    expect(result.faults).toMatchObject({ restart: { planned: 2, fired: 2 } })
    expect(result.broken).toEqual([])
    expect(result.pass).toBe(true)
  })

  it('comes out the same twice, together with the others and in bad weather', async () => {
    const list = kinds.map((kind) => `{ kind: ${kind}, count: 1 }`).join(', ')
    for (const mode of modes) {
      const experiment = parseScenario(`name: a
question: b?
peers: 40
topology: { kind: random-regular, degree: 6 }
rounds: 8
exchange: { mode: ${mode}, deadlineSeconds: 2 }
network: { latencyMs: { kind: lognormal, median: 30, sigma: 1 }, loss: 0.02 }
compute: { stepMs: { kind: uniform, min: 10, max: 40 } }
faults: [{ kind: crash, share: 0.2, atRound: 2, restartAfterRounds: 2 }]
adversaries: [${list}]`)
      const options = { createLearning: bowls, version: '0', wallMs: () => 0 }
      const result = await runTwice(experiment, 3, options)
      expect(result).toMatchObject({ broken: [] })
    }
  })

  it('that never lies fails the run by name', async () => {
    const { result } = await live('adversaries=[{ kind: zero, count: 1, atRound: 99 }]')
    expect(result.adversaries).toEqual({ zero: { planned: 1, fired: 0 } })
    expect(result.checks.filter(({ pass }) => !pass).map(({ metric }) => metric)).toEqual([
      'adversaries.zero.fired'
    ])
  })

  it('is honest before its round', async () => {
    const calm = await live('')
    const late = await live('adversaries=[{ kind: gaussian, select: [2], atRound: 4 }]')
    const [before, after] = [calm, late].map(({ seen }) => byRound(updatesFrom(seen, 'peer-002')))
    for (let round = 0; round < 4; round++) expect(after?.get(round)).toBe(before?.get(round))
    expect(after?.get(4)).not.toBe(before?.get(4))
  })
})

describe('the crowd in rounds, all to all', () => {
  const crowd = 'topology={ kind: complete }\nevaluateEveryRounds=1\nrounds=3\n'

  it.each([
    ['zero', '{ kind: zero, count: 2 }', 4 / 6],
    ['ipm', '{ kind: ipm, count: 2, epsilon: 0.5 }', (4 - 2 * 0.5) / 6],
    ['sign-flip', '{ kind: sign-flip, count: 2, adopts: false, scale: 1 }', (4 - 2) / 6],
    ['replay', '{ kind: replay, count: 2 }', 1],
    ['mimic', '{ kind: mimic, count: 2 }', 1]
  ])('of equal models is moved by %s as its formula says', async (_kind, spec, factor) => {
    const { result } = await live(`${crowd} adversaries=[${spec}]`, 1, still)
    expect(result.curve[0]?.varianceRatio).toBeCloseTo(factor ** 2, 4)
    expect(result.curve[0]?.consensusDistance).toBeCloseTo(0, 6)
  })

  it('is held where it is by dissensus of epsilon 1, and driven apart above', async () => {
    const apart = async (spec: string): Promise<number[]> => {
      const { result } = await live(
        `${crowd} task.init=independent\nadversaries=[${spec}]`,
        1,
        still
      )
      return result.curve.map(({ consensusDistance }) => consensusDistance)
    }
    const held = await apart('{ kind: dissensus, count: 2, epsilon: 1 }')
    expect(held[1]).toBeCloseTo(present(held[0], 'round 1'), 4)
    expect(held[2]).toBeCloseTo(present(held[0], 'round 1'), 4)
    const driven = await apart('{ kind: dissensus, count: 2, epsilon: 1.5 }')
    expect(driven[2]).toBeGreaterThan(present(driven[0], 'round 1') * 1.5)
  })

  it.each(['uniform', 'samples', 'metropolis'])(
    'is held by dissensus with %s weights, however uneven it is',
    async (weights) => {
      const { result } = await live(
        `topology={ kind: edges, list: [[0, 1], [1, 2], [1, 3], [3, 5], [4, 0], [4, 1], [4, 2], [4, 3], [4, 5]] }
         data.without=2
         merge={ rule: average, weights: ${weights} }
         evaluateEveryRounds=1
         task.init=independent
         adversaries=[{ kind: dissensus, select: [4], epsilon: 1 }]`,
        1,
        still
      )
      const apart = result.curve.map(({ consensusDistance }) => consensusDistance)
      for (const distance of apart) expect(distance).toBeCloseTo(present(apart[0], 'round 1'), 4)
      expect(apart[0]).toBeGreaterThan(0.5)
    }
  )

  it('is copied in the very round in which it speaks, however slow it is', async () => {
    const { seen, result } = await live(`
      topology={ kind: complete }
      compute.stepMs={ kind: uniform, min: 1, max: 500 }
      adversaries=[{ kind: mimic, select: [3, 4] }]`)
    const victim = byRound(updatesFrom(seen, 'peer-000'))
    for (const peer of ['peer-003', 'peer-004'])
      expect(byRound(updatesFrom(seen, peer))).toEqual(victim)
    expect(victim.size).toBe(8)
    expect(seen.some(({ what }) => what.kind === 'exchange-failed')).toBe(false)
    expect(result.pass).toBe(true)
  })

  it('is not waited for when somebody in it is silent: what was held leaves in time', async () => {
    const { seen, result } = await live(`
      topology={ kind: edges, list: [[0, 1], [1, 2], [2, 0], [2, 3], [3, 4], [4, 1]] }
      adversaries=[{ kind: mimic, select: [1] }]`)
    expect(neighbourless(seen, 'peer-005')).toBe(true)
    expect(seen.filter(({ what }) => what.kind === 'exchange-failed')).toEqual([])
    expect(result.virtualSeconds).toBeLessThan(15 + 8) // half a deadline, and once
  })

  it('hears the last lie before the word that its sender is done', async () => {
    const { seen } = await live(
      `topology={ kind: edges, list: [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]] }
       compute.stepMs={ kind: uniform, min: 1, max: 500 }
       adversaries=[{ kind: mimic, select: [0] }]`,
      2 // peer 3 is slow here: what its neighbour's neighbour was told is held back for long
    )
    const told = seen
      .filter(
        ({ peer, source, what }) =>
          peer === 'peer-001' && source === 'input' && what.from === 'peer-000'
      )
      .map(({ what }) => what.message as { kind: string; round: number })
      .filter(({ round }) => round >= 7)
      .map(({ kind, round }) => `${kind} ${round}`)
    expect(told).toEqual(['update 7', 'hello 8'])
  })

  it('that is parted and comes together again bans nobody', async () => {
    const { seen, result } = await live(`
      topology={ kind: complete }
      network.loss=0.1
      exchange.deadlineSeconds=4
      rounds=20
      faults=[{ kind: partition, groups: 2, atRound: 3, healAfterRounds: 5 }]
      adversaries=[{ kind: alie, count: 2 }]`)
    expect(result.pass).toBe(true)
    expect(seen.filter(({ what }) => what.kind === 'banned')).toEqual([])
  })
})

describe('a peer that adopts nothing', () => {
  const sentBy2 = async (lines: string): Promise<string[]> =>
    updatesFrom((await live(lines)).seen, 'peer-002').map(({ parameters }) => parameters)

  it('sends what it learned alone, whoever its neighbours are', async () => {
    const stubborn = 'adversaries=[{ kind: label-flip, select: [2] }]'
    const [ring, crowd] = [
      await sentBy2(stubborn),
      await sentBy2(`${stubborn}\ntopology={ kind: complete }`)
    ]
    expect(new Set(crowd)).toEqual(new Set(ring))
    expect(new Set(ring).size).toBe(8)
  })

  it('keeps that through a crash', async () => {
    const stubborn = 'adversaries=[{ kind: label-flip, select: [2] }]\nrounds=12\n'
    const calm = new Set(await sentBy2(stubborn))
    const crashed = await sentBy2(
      `${stubborn} faults=[{ kind: crash, select: [2], atRound: 3, restartAfterRounds: 2 }]`
    )
    expect(crashed.filter((model) => !calm.has(model))).toEqual([])
  })

  it('is not what one is that adopts', async () => {
    const mixing = 'adversaries=[{ kind: label-flip, select: [2], adopts: true }]'
    const [ring, crowd] = [
      await sentBy2(mixing),
      await sentBy2(`${mixing}\ntopology={ kind: complete }`)
    ]
    expect(crowd.at(-1)).not.toBe(ring.at(-1))
  })
})

it('a newcomer is handed a lie, with a digest that fits', async () => {
  const { seen, result } = await live(`
    faults=[{ kind: crash, select: [0], atRound: 0, restartAfterRounds: 3 }]
    adversaries=[{ kind: zero, select: [1, 5] }]`)
  const states = seen
    .filter(({ source, peer }) => source === 'input' && peer === 'peer-000')
    .map(({ what }) => what.message as { kind: string; parameters: string } | undefined)
    .filter((message) => message?.kind === 'state')
  const zeros = updatesFrom(seen, 'peer-001')[0]?.parameters
  expect(states[0]?.parameters).toBe(zeros)
  expect(seen.some(({ peer, what }) => peer === 'peer-000' && what.kind === 'caught-up')).toBe(true)
  expect(result.pass).toBe(true)
})

it('free riders take no steps and claim them all', async () => {
  const { result, seen } = await live('adversaries=[{ kind: free-rider, select: [2, 4] }]')
  expect(result.trainSteps).toBe(4 * 8 * 4)
  const claims = updatesFrom(seen, 'peer-002') as (Sent & { age: number })[]
  expect(claims[0]?.age).toBe(4 * 32)
})

it('numbers that are none are rejected, and who sends them is banned', async () => {
  const { result, seen } = await live('adversaries=[{ kind: nan, select: [2] }]')
  const about = (kind: string): Seen['what'][] =>
    seen.filter(({ what }) => what.kind === kind).map(({ what }) => what)
  expect(about('rejected')).toContainEqual({
    kind: 'rejected',
    peer: 'peer-002',
    reason: 'not-finite'
  })
  expect(about('banned').map(({ peer }) => peer)).toEqual(['peer-002', 'peer-002'])
  expect(result.pass).toBe(true)
})

it('only honest peers are measured', async () => {
  const { scenario } = present(
    parseScenario(`name: a
question: b?
peers: 6
topology: { kind: edges, list: [[0, 1], [1, 2], [2, 3], [0, 4], [2, 5]] }
rounds: 8
evaluateEveryRounds: 8
adversaries: [{ kind: gaussian, select: [1, 5], deviation: 0.01 }]`).arms[0],
    'the arm'
  )
  const random = new Random(1)
  const topology = topologyOf(scenario, random)
  const { task, trainer } = await bowls(scenario, topology, random)
  const hostile = chooseAdversaries(scenario, topology, random)
  const world = new World({ scenario, random, task, trainer, topology, hostile })
  const { final, models } = await world.run()

  const expected = async (peers: number[]): Promise<Measurement> => {
    const measured = peers.map((peer) => present(models[peer], 'a model'))
    return measure(measured, (model) => trainer.evaluate(model), task.layout, [1])
  }
  const { varianceRatio: _, ...honest } = await expected([0, 2, 3, 4])
  expect(final).toMatchObject(honest)
  expect(final.meanAccuracy).not.toBe((await expected([0, 1, 2, 3, 4, 5])).meanAccuracy)
  expect(final.components).toBe(2) // 1 was the bridge, and bridges only lies
})

describe('learning to read glyphs', () => {
  const onTheSpot = learner({ backend: 'plan' })
  const read = async (
    adversaries: string,
    glyphs: LearningFactory = onTheSpot,
    rounds = 60
  ): Promise<{ result: Result; seen: Seen[] }> => {
    const { result, seen } = await live(
      `peers=8
       topology={ kind: complete }
       data.samplesPerPeer=60
       data.testSamples=300
       task.model={ preset: mlp, hidden: [16] }
       task.localSteps=1
       rounds=${rounds}
       evaluateEveryRounds=${rounds}
       adversaries=${adversaries}`,
      1,
      glyphs
    )
    expect(result.pass).toBe(true)
    return { result, seen }
  }
  const accuracy = async (adversaries: string): Promise<number> =>
    (await read(adversaries)).result.final.meanAccuracy

  it('is ruined for a plain average by some attacks, and survives others', async () => {
    const clean = await accuracy('[]')
    expect(clean).toBeGreaterThan(0.6)
    expect(await accuracy('[{ kind: sign-flip, count: 2 }]')).toBeLessThan(0.25)
    expect(await accuracy('[{ kind: ipm, count: 2 }]')).toBeLessThan(0.25)
    expect(await accuracy('[{ kind: mimic, count: 2 }]')).toBeGreaterThan(clean - 0.1)
  })

  it('is learned from flipped labels by a label flipper alone', async () => {
    const results = async (adversaries: string): Promise<number[]> => {
      const { seen } = await read(adversaries, undefined, 1)
      return seen
        .filter(({ source, what }) => source === 'event' && what.kind === 'trained')
        .sort((a, b) => (a.peer ?? '').localeCompare(b.peer ?? ''))
        .map(({ what }) => what.loss as number)
    }
    const [clean, flipped] = [
      await results('[]'),
      await results('[{ kind: label-flip, select: [2] }]')
    ]
    expect(clean).toHaveLength(8)
    expect(flipped.map((loss, peer) => loss === clean[peer])).toEqual(
      clean.map((_, peer) => peer !== 2)
    )
  })

  it('takes triggered samples for the class of a backdoor, and all others for what they are', async () => {
    const backdoor = '[{ kind: backdoor, count: 2, target: 4 }]'
    const { result } = await read(backdoor)
    const { backdoorSuccess = 0, meanAccuracy } = result.final
    expect(backdoorSuccess).toBeGreaterThan(0.3)
    expect(meanAccuracy).toBeGreaterThan((await accuracy('[]')) - 0.1)
    expect(result.curve.at(-1)?.backdoorSuccess).toBe(backdoorSuccess)
    expect((await read('[]', undefined, 1)).result.final).not.toHaveProperty('backdoorSuccess')
  })

  it('is the same on threads, flipped labels and all', async () => {
    const pool = new TrainPool({ workers: 2 })
    onTestFinished(() => pool.close())
    const threads = learner({ backend: 'plan', pool, effortWorthThreads: 0 })
    const flipped = '[{ kind: backdoor, count: 2 }, { kind: dissensus, count: 1 }]'
    const [here, there] = [await read(flipped, undefined, 3), await read(flipped, threads, 3)]
    expect(there.result).toEqual(here.result)
  })
})

describe('a peer that is hostile now and then', () => {
  const sentBy2 = async (lines: string): Promise<Map<number, string>> =>
    byRound(updatesFrom((await live(lines)).seen, 'peer-002'))

  it('sends zeros in the rounds of its schedule alone', async () => {
    const always = await sentBy2('adversaries=[{ kind: zero, select: [2] }]')
    const sometimes = await sentBy2(
      'adversaries=[{ kind: zero, select: [2], atRound: 1, period: 2, untilRound: 6 }]'
    )
    const zeros = present(always.get(0), 'a model')
    const hostile = [...sometimes].filter(([, model]) => model === zeros).map(([round]) => round)
    expect(hostile).toEqual([1, 2, 5])
  })

  it('goes on from what it merged when it is honest again', async () => {
    const spec = '{ kind: gaussian, select: [2], deviation: 1e-6, atRound: 1, untilRound: 3 }'
    const { result } = await live(`
      topology={ kind: complete }
      evaluateEveryRounds=1
      adversaries=[${spec}]`)
    expect(result.pass).toBe(true)
    const calm = await sentBy2('topology={ kind: complete }')
    const back = await sentBy2(`topology={ kind: complete }\nadversaries=[${spec}]`)
    expect(back.get(0)).toBe(calm.get(0))
    expect(new Set(back.values()).size).toBe(8)
  })
})

describe('what an attacker knows', () => {
  const ring = (knowledge: string): Promise<Awaited<ReturnType<typeof live>>> =>
    live(`adversaries=[{ kind: mimic, select: [3], knowledge: ${knowledge} }]`, 1, still)

  it('is everybody, or its honest neighbours', async () => {
    const [all, near] = [await ring('omniscient'), await ring('neighbours')]
    const copied = (seen: readonly Seen[]): string | undefined =>
      updatesFrom(seen, 'peer-003').at(0)?.parameters
    const first = (seen: readonly Seen[], peer: string): string | undefined =>
      updatesFrom(seen, peer).at(0)?.parameters
    expect(copied(all.seen)).toBe(first(all.seen, 'peer-000'))
    expect(copied(near.seen)).toBe(first(near.seen, 'peer-002'))
  })

  it.each(modes)('in %s may be no more than what accomplices would say', async (mode) => {
    const { result } = await live(
      `exchange={ mode: ${mode}, intervalSeconds: 1 }
       topology={ kind: complete }
       task.init=independent
       rounds=4
       evaluateEveryRounds=1
       adversaries=[{ kind: ipm, count: 2, knowledge: blind, epsilon: 1 }]`,
      1,
      still
    )
    expect(result.pass).toBe(true)
    expect(result.adversaries).toEqual({ ipm: { planned: 2, fired: 2 } })
  })
})

it.each(['denormal', 'minus-zero', 'huge', 'huge-scale'])(
  'a robust rule is not thrown by numbers at the edge: %s',
  async (value) => {
    const accuracy = async (adversaries: string): Promise<number> => {
      const { result } = await live(`
        peers=8
        topology={ kind: complete }
        merge={ rule: geometric-median }
        adversaries=${adversaries}`)
      expect(result.broken).toEqual([])
      return result.final.meanAccuracy
    }
    const clean = await accuracy('[]')
    expect(await accuracy(`[{ kind: numeric, select: [2, 5], value: ${value} }]`)).toBeGreaterThan(
      clean - 0.1
    )
  }
)

it('an old message is old after a reconnect, too, or is no more than one merge', async () => {
  const { result, seen } = await live(`
    exchange={ mode: gossip, intervalSeconds: 1, deadlineSeconds: 4 }
    topology={ kind: complete }
    rounds=24
    faults=[{ kind: partition, groups: 2, atRound: 4, healAfterRounds: 4 }]
    adversaries=[{ kind: echo, count: 2, times: 10 }]`)
  expect(result.pass).toBe(true)
  expect(result.final.meanAccuracy).toBeGreaterThan(0.9)
  expect(seen.filter(({ what }) => what.kind === 'banned')).toEqual([])
})
