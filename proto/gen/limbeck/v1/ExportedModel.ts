// Original file: limbeck.proto

import type { Latency as _limbeck_v1_Latency, Latency__Output as _limbeck_v1_Latency__Output } from '../../limbeck/v1/Latency.ts';
import type { Long } from '@grpc/proto-loader';

export interface ExportedModel {
  'folder'?: (string);
  'format'?: (string);
  'bytes'?: (number | string | Long);
  'examples'?: (number | string | Long);
  'errors'?: (number | string | Long);
  'crossEntropy'?: (number | string);
  'latencies'?: (_limbeck_v1_Latency)[];
}

export interface ExportedModel__Output {
  'folder': (string);
  'format': (string);
  'bytes': (number);
  'examples': (number);
  'errors': (number);
  'crossEntropy': (number);
  'latencies': (_limbeck_v1_Latency__Output)[];
}
