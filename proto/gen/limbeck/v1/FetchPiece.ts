// Original file: limbeck.proto


export interface FetchPiece {
  'bytes'?: (Buffer | Uint8Array | string);
}

export interface FetchPiece__Output {
  'bytes': (Buffer);
}
