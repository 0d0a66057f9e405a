// Original file: limbeck.proto


export interface Pause {
  'why'?: (string);
}

export interface Pause__Output {
  'why': (string);
}
