// Original file: limbeck.proto

import type { Artifact as _limbeck_v1_Artifact, Artifact__Output as _limbeck_v1_Artifact__Output } from '../../limbeck/v1/Artifact.ts';

export interface ArtifactsReply {
  'where'?: (string);
  'artifacts'?: (_limbeck_v1_Artifact)[];
}

export interface ArtifactsReply__Output {
  'where': (string);
  'artifacts': (_limbeck_v1_Artifact__Output)[];
}
