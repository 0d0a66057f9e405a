// AssemblyScript: everything exported here is an export of kernels.wasm. Addresses are bytes in the imported shared
// memory, counts are elements; the host checks both. Nothing here owns memory or keeps a value between calls.
export { add, copy, fill, isFinite, sumOfSquares } from "./vectors";
export { fromFloat16, toFloat16 } from "./float16";
export { adam, average, maxNorm, momentum, sgd } from "./updates";
export { checksum } from "./checksum";
