// Original file: limbeck.proto


export interface Suspect {
  'worker'?: (string);
  'why'?: (string);
}

export interface Suspect__Output {
  'worker': (string);
  'why': (string);
}
