import type { RouterFound } from '../../peer/nat/mapping/gateway.ts'

/** What a router does for us, for people. */
export function routerText({ host, language, ports, problem }: RouterFound): string {
  const where = `${language}, at ${host}`
  if (ports.length === 0) {
    return `answers (${where}), but forwards nothing${problem === null ? ' yet' : `: ${problem}`}`
  }
  const forwards = `forwards its port${ports.length > 1 ? 's' : ''} ${ports.join(' and ')} to us (${where})`
  return problem === null ? forwards : `${forwards}, for now: ${problem}`
}
