// Original file: limbeck.proto

import type { ExportedModel as _limbeck_v1_ExportedModel, ExportedModel__Output as _limbeck_v1_ExportedModel__Output } from '../../limbeck/v1/ExportedModel.ts';
import type { Latency as _limbeck_v1_Latency, Latency__Output as _limbeck_v1_Latency__Output } from '../../limbeck/v1/Latency.ts';
import type { Picture as _limbeck_v1_Picture, Picture__Output as _limbeck_v1_Picture__Output } from '../../limbeck/v1/Picture.ts';

export interface Exported {
  'stage'?: (string);
  'models'?: (_limbeck_v1_ExportedModel)[];
  'latencies'?: (_limbeck_v1_Latency)[];
  'pictures'?: (_limbeck_v1_Picture)[];
}

export interface Exported__Output {
  'stage': (string);
  'models': (_limbeck_v1_ExportedModel__Output)[];
  'latencies': (_limbeck_v1_Latency__Output)[];
  'pictures': (_limbeck_v1_Picture__Output)[];
}
