// Original file: limbeck.proto


export interface Export {
  'stage'?: (string);
  'pictures'?: (number)[];
}

export interface Export__Output {
  'stage': (string);
  'pictures': (number)[];
}
