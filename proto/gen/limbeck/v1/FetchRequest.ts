// Original file: limbeck.proto


export interface FetchRequest {
  'job'?: (string);
  'path'?: (string);
}

export interface FetchRequest__Output {
  'job': (string);
  'path': (string);
}
