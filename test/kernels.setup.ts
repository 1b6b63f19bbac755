import { refreshKernels } from '../scripts/kernels.ts'

/** Tests run from the sources: the kernels too. */
export default refreshKernels
