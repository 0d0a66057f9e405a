// Original file: limbeck.proto


export interface PayloadError {
  'examples'?: (number);
  'sum'?: (number | string);
  'max'?: (number | string);
}

export interface PayloadError__Output {
  'examples': (number);
  'sum': (number);
  'max': (number);
}
