// Original file: limbeck.proto


export interface Warned {
  'why'?: (string);
}

export interface Warned__Output {
  'why': (string);
}
