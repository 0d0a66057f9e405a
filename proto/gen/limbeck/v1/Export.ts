// Original file: limbeck.proto


export interface Export {
  'stage'?: (string);
}

export interface Export__Output {
  'stage': (string);
}
