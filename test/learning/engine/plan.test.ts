import { describeEngine } from './contract.ts'

describeEngine('plan')
