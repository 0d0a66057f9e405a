// Original file: limbeck.proto


export interface Picture {
  'example'?: (number);
  'shape'?: (number)[];
  'pixels'?: (Buffer | Uint8Array | string);
  'values'?: (number | string)[];
}

export interface Picture__Output {
  'example': (number);
  'shape': (number)[];
  'pixels': (Buffer);
  'values': (number)[];
}
