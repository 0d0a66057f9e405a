// Original file: limbeck.proto

import type { EngineInfo as _limbeck_v1_EngineInfo, EngineInfo__Output as _limbeck_v1_EngineInfo__Output } from '../../limbeck/v1/EngineInfo.ts';
import type { DatasetInfo as _limbeck_v1_DatasetInfo, DatasetInfo__Output as _limbeck_v1_DatasetInfo__Output } from '../../limbeck/v1/DatasetInfo.ts';

export interface Prepared {
  'engine'?: (_limbeck_v1_EngineInfo | null);
  'dataset'?: (_limbeck_v1_DatasetInfo | null);
  'noDataset'?: (string);
}

export interface Prepared__Output {
  'engine': (_limbeck_v1_EngineInfo__Output | null);
  'dataset': (_limbeck_v1_DatasetInfo__Output | null);
  'noDataset': (string);
}
