// Original file: limbeck.proto


export interface StatusRequest {
  'job'?: (string);
}

export interface StatusRequest__Output {
  'job': (string);
}
