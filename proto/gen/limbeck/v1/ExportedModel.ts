// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface ExportedModel {
  'folder'?: (string);
  'format'?: (string);
  'bytes'?: (number | string | Long);
  'examples'?: (number | string | Long);
  'errors'?: (number | string | Long);
  'crossEntropy'?: (number | string);
}

export interface ExportedModel__Output {
  'folder': (string);
  'format': (string);
  'bytes': (number);
  'examples': (number);
  'errors': (number);
  'crossEntropy': (number);
}
