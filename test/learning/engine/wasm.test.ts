import { describeEngine } from './contract.ts'

describeEngine('wasm')
