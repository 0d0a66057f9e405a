// Original file: limbeck.proto


export interface Diagnosed {
  'stage'?: (string);
  'findings'?: (string);
}

export interface Diagnosed__Output {
  'stage': (string);
  'findings': (string);
}
