// Original file: kserve.proto


export interface InferTensorContents {
  'fp32Contents'?: (number | string)[];
}

export interface InferTensorContents__Output {
  'fp32Contents': (number)[];
}
