// Original file: limbeck.proto


export interface Leaving {
  'why'?: (string);
}

export interface Leaving__Output {
  'why': (string);
}
