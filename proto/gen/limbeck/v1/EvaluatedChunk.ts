// Original file: limbeck.proto


export interface EvaluatedChunk {
  'chunk'?: (number);
  'examples'?: (number);
  'crossEntropy'?: (number | string);
  'predictions'?: (Buffer | Uint8Array | string);
  'labels'?: (Buffer | Uint8Array | string);
  'confidences'?: (Buffer | Uint8Array | string);
}

export interface EvaluatedChunk__Output {
  'chunk': (number);
  'examples': (number);
  'crossEntropy': (number);
  'predictions': (Buffer);
  'labels': (Buffer);
  'confidences': (Buffer);
}
