// Original file: limbeck.proto


export interface SourceFile {
  'path'?: (string);
  'text'?: (string);
}

export interface SourceFile__Output {
  'path': (string);
  'text': (string);
}
