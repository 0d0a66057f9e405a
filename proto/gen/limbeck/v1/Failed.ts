// Original file: limbeck.proto


export interface Failed {
  'code'?: (string);
  'message'?: (string);
}

export interface Failed__Output {
  'code': (string);
  'message': (string);
}
