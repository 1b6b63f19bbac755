import { describeEngine } from './contract.ts'

describeEngine('cpu')
