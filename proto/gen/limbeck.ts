import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Artifact as _limbeck_v1_Artifact, Artifact__Output as _limbeck_v1_Artifact__Output } from './limbeck/v1/Artifact.ts';
import type { ArtifactsReply as _limbeck_v1_ArtifactsReply, ArtifactsReply__Output as _limbeck_v1_ArtifactsReply__Output } from './limbeck/v1/ArtifactsReply.ts';
import type { ArtifactsRequest as _limbeck_v1_ArtifactsRequest, ArtifactsRequest__Output as _limbeck_v1_ArtifactsRequest__Output } from './limbeck/v1/ArtifactsRequest.ts';
import type { Assign as _limbeck_v1_Assign, Assign__Output as _limbeck_v1_Assign__Output } from './limbeck/v1/Assign.ts';
import type { Begin as _limbeck_v1_Begin, Begin__Output as _limbeck_v1_Begin__Output } from './limbeck/v1/Begin.ts';
import type { CaughtUp as _limbeck_v1_CaughtUp, CaughtUp__Output as _limbeck_v1_CaughtUp__Output } from './limbeck/v1/CaughtUp.ts';
import type { Checkpointed as _limbeck_v1_Checkpointed, Checkpointed__Output as _limbeck_v1_Checkpointed__Output } from './limbeck/v1/Checkpointed.ts';
import type { Consumed as _limbeck_v1_Consumed, Consumed__Output as _limbeck_v1_Consumed__Output } from './limbeck/v1/Consumed.ts';
import type { ControlReply as _limbeck_v1_ControlReply, ControlReply__Output as _limbeck_v1_ControlReply__Output } from './limbeck/v1/ControlReply.ts';
import type { ControlRequest as _limbeck_v1_ControlRequest, ControlRequest__Output as _limbeck_v1_ControlRequest__Output } from './limbeck/v1/ControlRequest.ts';
import type { CoordinatorClient as _limbeck_v1_CoordinatorClient, CoordinatorDefinition as _limbeck_v1_CoordinatorDefinition } from './limbeck/v1/Coordinator.ts';
import type { Corrupted as _limbeck_v1_Corrupted, Corrupted__Output as _limbeck_v1_Corrupted__Output } from './limbeck/v1/Corrupted.ts';
import type { DatasetInfo as _limbeck_v1_DatasetInfo, DatasetInfo__Output as _limbeck_v1_DatasetInfo__Output } from './limbeck/v1/DatasetInfo.ts';
import type { Diagnosed as _limbeck_v1_Diagnosed, Diagnosed__Output as _limbeck_v1_Diagnosed__Output } from './limbeck/v1/Diagnosed.ts';
import type { Digest as _limbeck_v1_Digest, Digest__Output as _limbeck_v1_Digest__Output } from './limbeck/v1/Digest.ts';
import type { EngineInfo as _limbeck_v1_EngineInfo, EngineInfo__Output as _limbeck_v1_EngineInfo__Output } from './limbeck/v1/EngineInfo.ts';
import type { Evaluated as _limbeck_v1_Evaluated, Evaluated__Output as _limbeck_v1_Evaluated__Output } from './limbeck/v1/Evaluated.ts';
import type { EvaluatedChunk as _limbeck_v1_EvaluatedChunk, EvaluatedChunk__Output as _limbeck_v1_EvaluatedChunk__Output } from './limbeck/v1/EvaluatedChunk.ts';
import type { Export as _limbeck_v1_Export, Export__Output as _limbeck_v1_Export__Output } from './limbeck/v1/Export.ts';
import type { Exported as _limbeck_v1_Exported, Exported__Output as _limbeck_v1_Exported__Output } from './limbeck/v1/Exported.ts';
import type { ExportedModel as _limbeck_v1_ExportedModel, ExportedModel__Output as _limbeck_v1_ExportedModel__Output } from './limbeck/v1/ExportedModel.ts';
import type { Failed as _limbeck_v1_Failed, Failed__Output as _limbeck_v1_Failed__Output } from './limbeck/v1/Failed.ts';
import type { FetchPiece as _limbeck_v1_FetchPiece, FetchPiece__Output as _limbeck_v1_FetchPiece__Output } from './limbeck/v1/FetchPiece.ts';
import type { FetchRequest as _limbeck_v1_FetchRequest, FetchRequest__Output as _limbeck_v1_FetchRequest__Output } from './limbeck/v1/FetchRequest.ts';
import type { Follow as _limbeck_v1_Follow, Follow__Output as _limbeck_v1_Follow__Output } from './limbeck/v1/Follow.ts';
import type { FromWorker as _limbeck_v1_FromWorker, FromWorker__Output as _limbeck_v1_FromWorker__Output } from './limbeck/v1/FromWorker.ts';
import type { Heartbeat as _limbeck_v1_Heartbeat, Heartbeat__Output as _limbeck_v1_Heartbeat__Output } from './limbeck/v1/Heartbeat.ts';
import type { Hello as _limbeck_v1_Hello, Hello__Output as _limbeck_v1_Hello__Output } from './limbeck/v1/Hello.ts';
import type { Idle as _limbeck_v1_Idle, Idle__Output as _limbeck_v1_Idle__Output } from './limbeck/v1/Idle.ts';
import type { JobsClient as _limbeck_v1_JobsClient, JobsDefinition as _limbeck_v1_JobsDefinition } from './limbeck/v1/Jobs.ts';
import type { Latency as _limbeck_v1_Latency, Latency__Output as _limbeck_v1_Latency__Output } from './limbeck/v1/Latency.ts';
import type { Leaving as _limbeck_v1_Leaving, Leaving__Output as _limbeck_v1_Leaving__Output } from './limbeck/v1/Leaving.ts';
import type { ListReply as _limbeck_v1_ListReply, ListReply__Output as _limbeck_v1_ListReply__Output } from './limbeck/v1/ListReply.ts';
import type { ListRequest as _limbeck_v1_ListRequest, ListRequest__Output as _limbeck_v1_ListRequest__Output } from './limbeck/v1/ListRequest.ts';
import type { Member as _limbeck_v1_Member, Member__Output as _limbeck_v1_Member__Output } from './limbeck/v1/Member.ts';
import type { Metrics as _limbeck_v1_Metrics, Metrics__Output as _limbeck_v1_Metrics__Output } from './limbeck/v1/Metrics.ts';
import type { Pause as _limbeck_v1_Pause, Pause__Output as _limbeck_v1_Pause__Output } from './limbeck/v1/Pause.ts';
import type { PayloadError as _limbeck_v1_PayloadError, PayloadError__Output as _limbeck_v1_PayloadError__Output } from './limbeck/v1/PayloadError.ts';
import type { PeerClient as _limbeck_v1_PeerClient, PeerDefinition as _limbeck_v1_PeerDefinition } from './limbeck/v1/Peer.ts';
import type { PhaseSeconds as _limbeck_v1_PhaseSeconds, PhaseSeconds__Output as _limbeck_v1_PhaseSeconds__Output } from './limbeck/v1/PhaseSeconds.ts';
import type { Picture as _limbeck_v1_Picture, Picture__Output as _limbeck_v1_Picture__Output } from './limbeck/v1/Picture.ts';
import type { Prepared as _limbeck_v1_Prepared, Prepared__Output as _limbeck_v1_Prepared__Output } from './limbeck/v1/Prepared.ts';
import type { Progress as _limbeck_v1_Progress, Progress__Output as _limbeck_v1_Progress__Output } from './limbeck/v1/Progress.ts';
import type { PullHeader as _limbeck_v1_PullHeader, PullHeader__Output as _limbeck_v1_PullHeader__Output } from './limbeck/v1/PullHeader.ts';
import type { PullRequest as _limbeck_v1_PullRequest, PullRequest__Output as _limbeck_v1_PullRequest__Output } from './limbeck/v1/PullRequest.ts';
import type { Ready as _limbeck_v1_Ready, Ready__Output as _limbeck_v1_Ready__Output } from './limbeck/v1/Ready.ts';
import type { SaveCheckpoint as _limbeck_v1_SaveCheckpoint, SaveCheckpoint__Output as _limbeck_v1_SaveCheckpoint__Output } from './limbeck/v1/SaveCheckpoint.ts';
import type { Skipped as _limbeck_v1_Skipped, Skipped__Output as _limbeck_v1_Skipped__Output } from './limbeck/v1/Skipped.ts';
import type { SoftTargetKey as _limbeck_v1_SoftTargetKey, SoftTargetKey__Output as _limbeck_v1_SoftTargetKey__Output } from './limbeck/v1/SoftTargetKey.ts';
import type { SoftTargetRequest as _limbeck_v1_SoftTargetRequest, SoftTargetRequest__Output as _limbeck_v1_SoftTargetRequest__Output } from './limbeck/v1/SoftTargetRequest.ts';
import type { SoftTargets as _limbeck_v1_SoftTargets, SoftTargets__Output as _limbeck_v1_SoftTargets__Output } from './limbeck/v1/SoftTargets.ts';
import type { SourceFile as _limbeck_v1_SourceFile, SourceFile__Output as _limbeck_v1_SourceFile__Output } from './limbeck/v1/SourceFile.ts';
import type { Staff as _limbeck_v1_Staff, Staff__Output as _limbeck_v1_Staff__Output } from './limbeck/v1/Staff.ts';
import type { StageDone as _limbeck_v1_StageDone, StageDone__Output as _limbeck_v1_StageDone__Output } from './limbeck/v1/StageDone.ts';
import type { StatusReply as _limbeck_v1_StatusReply, StatusReply__Output as _limbeck_v1_StatusReply__Output } from './limbeck/v1/StatusReply.ts';
import type { StatusRequest as _limbeck_v1_StatusRequest, StatusRequest__Output as _limbeck_v1_StatusRequest__Output } from './limbeck/v1/StatusRequest.ts';
import type { StopReply as _limbeck_v1_StopReply, StopReply__Output as _limbeck_v1_StopReply__Output } from './limbeck/v1/StopReply.ts';
import type { StopRequest as _limbeck_v1_StopRequest, StopRequest__Output as _limbeck_v1_StopRequest__Output } from './limbeck/v1/StopRequest.ts';
import type { StopWorker as _limbeck_v1_StopWorker, StopWorker__Output as _limbeck_v1_StopWorker__Output } from './limbeck/v1/StopWorker.ts';
import type { SubmitReply as _limbeck_v1_SubmitReply, SubmitReply__Output as _limbeck_v1_SubmitReply__Output } from './limbeck/v1/SubmitReply.ts';
import type { SubmitRequest as _limbeck_v1_SubmitRequest, SubmitRequest__Output as _limbeck_v1_SubmitRequest__Output } from './limbeck/v1/SubmitRequest.ts';
import type { Suspect as _limbeck_v1_Suspect, Suspect__Output as _limbeck_v1_Suspect__Output } from './limbeck/v1/Suspect.ts';
import type { TeacherClient as _limbeck_v1_TeacherClient, TeacherDefinition as _limbeck_v1_TeacherDefinition } from './limbeck/v1/Teacher.ts';
import type { ToWorker as _limbeck_v1_ToWorker, ToWorker__Output as _limbeck_v1_ToWorker__Output } from './limbeck/v1/ToWorker.ts';
import type { TreeNode as _limbeck_v1_TreeNode, TreeNode__Output as _limbeck_v1_TreeNode__Output } from './limbeck/v1/TreeNode.ts';
import type { Warned as _limbeck_v1_Warned, Warned__Output as _limbeck_v1_Warned__Output } from './limbeck/v1/Warned.ts';
import type { WatchEvent as _limbeck_v1_WatchEvent, WatchEvent__Output as _limbeck_v1_WatchEvent__Output } from './limbeck/v1/WatchEvent.ts';
import type { WatchRequest as _limbeck_v1_WatchRequest, WatchRequest__Output as _limbeck_v1_WatchRequest__Output } from './limbeck/v1/WatchRequest.ts';
import type { Welcome as _limbeck_v1_Welcome, Welcome__Output as _limbeck_v1_Welcome__Output } from './limbeck/v1/Welcome.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  limbeck: {
    v1: {
      Artifact: MessageTypeDefinition<_limbeck_v1_Artifact, _limbeck_v1_Artifact__Output>
      ArtifactsReply: MessageTypeDefinition<_limbeck_v1_ArtifactsReply, _limbeck_v1_ArtifactsReply__Output>
      ArtifactsRequest: MessageTypeDefinition<_limbeck_v1_ArtifactsRequest, _limbeck_v1_ArtifactsRequest__Output>
      Assign: MessageTypeDefinition<_limbeck_v1_Assign, _limbeck_v1_Assign__Output>
      Begin: MessageTypeDefinition<_limbeck_v1_Begin, _limbeck_v1_Begin__Output>
      CaughtUp: MessageTypeDefinition<_limbeck_v1_CaughtUp, _limbeck_v1_CaughtUp__Output>
      Checkpointed: MessageTypeDefinition<_limbeck_v1_Checkpointed, _limbeck_v1_Checkpointed__Output>
      Consumed: MessageTypeDefinition<_limbeck_v1_Consumed, _limbeck_v1_Consumed__Output>
      ControlReply: MessageTypeDefinition<_limbeck_v1_ControlReply, _limbeck_v1_ControlReply__Output>
      ControlRequest: MessageTypeDefinition<_limbeck_v1_ControlRequest, _limbeck_v1_ControlRequest__Output>
      Coordinator: SubtypeConstructor<typeof grpc.Client, _limbeck_v1_CoordinatorClient> & { service: _limbeck_v1_CoordinatorDefinition }
      Corrupted: MessageTypeDefinition<_limbeck_v1_Corrupted, _limbeck_v1_Corrupted__Output>
      DatasetInfo: MessageTypeDefinition<_limbeck_v1_DatasetInfo, _limbeck_v1_DatasetInfo__Output>
      Diagnosed: MessageTypeDefinition<_limbeck_v1_Diagnosed, _limbeck_v1_Diagnosed__Output>
      Digest: MessageTypeDefinition<_limbeck_v1_Digest, _limbeck_v1_Digest__Output>
      EngineInfo: MessageTypeDefinition<_limbeck_v1_EngineInfo, _limbeck_v1_EngineInfo__Output>
      Evaluated: MessageTypeDefinition<_limbeck_v1_Evaluated, _limbeck_v1_Evaluated__Output>
      EvaluatedChunk: MessageTypeDefinition<_limbeck_v1_EvaluatedChunk, _limbeck_v1_EvaluatedChunk__Output>
      Export: MessageTypeDefinition<_limbeck_v1_Export, _limbeck_v1_Export__Output>
      Exported: MessageTypeDefinition<_limbeck_v1_Exported, _limbeck_v1_Exported__Output>
      ExportedModel: MessageTypeDefinition<_limbeck_v1_ExportedModel, _limbeck_v1_ExportedModel__Output>
      Failed: MessageTypeDefinition<_limbeck_v1_Failed, _limbeck_v1_Failed__Output>
      FetchPiece: MessageTypeDefinition<_limbeck_v1_FetchPiece, _limbeck_v1_FetchPiece__Output>
      FetchRequest: MessageTypeDefinition<_limbeck_v1_FetchRequest, _limbeck_v1_FetchRequest__Output>
      Follow: MessageTypeDefinition<_limbeck_v1_Follow, _limbeck_v1_Follow__Output>
      FromWorker: MessageTypeDefinition<_limbeck_v1_FromWorker, _limbeck_v1_FromWorker__Output>
      Heartbeat: MessageTypeDefinition<_limbeck_v1_Heartbeat, _limbeck_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_limbeck_v1_Hello, _limbeck_v1_Hello__Output>
      Idle: MessageTypeDefinition<_limbeck_v1_Idle, _limbeck_v1_Idle__Output>
      Jobs: SubtypeConstructor<typeof grpc.Client, _limbeck_v1_JobsClient> & { service: _limbeck_v1_JobsDefinition }
      Latency: MessageTypeDefinition<_limbeck_v1_Latency, _limbeck_v1_Latency__Output>
      Leaving: MessageTypeDefinition<_limbeck_v1_Leaving, _limbeck_v1_Leaving__Output>
      ListReply: MessageTypeDefinition<_limbeck_v1_ListReply, _limbeck_v1_ListReply__Output>
      ListRequest: MessageTypeDefinition<_limbeck_v1_ListRequest, _limbeck_v1_ListRequest__Output>
      Member: MessageTypeDefinition<_limbeck_v1_Member, _limbeck_v1_Member__Output>
      Metrics: MessageTypeDefinition<_limbeck_v1_Metrics, _limbeck_v1_Metrics__Output>
      Pause: MessageTypeDefinition<_limbeck_v1_Pause, _limbeck_v1_Pause__Output>
      PayloadError: MessageTypeDefinition<_limbeck_v1_PayloadError, _limbeck_v1_PayloadError__Output>
      Peer: SubtypeConstructor<typeof grpc.Client, _limbeck_v1_PeerClient> & { service: _limbeck_v1_PeerDefinition }
      PhaseSeconds: MessageTypeDefinition<_limbeck_v1_PhaseSeconds, _limbeck_v1_PhaseSeconds__Output>
      Picture: MessageTypeDefinition<_limbeck_v1_Picture, _limbeck_v1_Picture__Output>
      Prepared: MessageTypeDefinition<_limbeck_v1_Prepared, _limbeck_v1_Prepared__Output>
      Progress: MessageTypeDefinition<_limbeck_v1_Progress, _limbeck_v1_Progress__Output>
      PullHeader: MessageTypeDefinition<_limbeck_v1_PullHeader, _limbeck_v1_PullHeader__Output>
      PullRequest: MessageTypeDefinition<_limbeck_v1_PullRequest, _limbeck_v1_PullRequest__Output>
      Ready: MessageTypeDefinition<_limbeck_v1_Ready, _limbeck_v1_Ready__Output>
      SaveCheckpoint: MessageTypeDefinition<_limbeck_v1_SaveCheckpoint, _limbeck_v1_SaveCheckpoint__Output>
      Skipped: MessageTypeDefinition<_limbeck_v1_Skipped, _limbeck_v1_Skipped__Output>
      SoftTargetKey: MessageTypeDefinition<_limbeck_v1_SoftTargetKey, _limbeck_v1_SoftTargetKey__Output>
      SoftTargetRequest: MessageTypeDefinition<_limbeck_v1_SoftTargetRequest, _limbeck_v1_SoftTargetRequest__Output>
      SoftTargets: MessageTypeDefinition<_limbeck_v1_SoftTargets, _limbeck_v1_SoftTargets__Output>
      SourceFile: MessageTypeDefinition<_limbeck_v1_SourceFile, _limbeck_v1_SourceFile__Output>
      Staff: MessageTypeDefinition<_limbeck_v1_Staff, _limbeck_v1_Staff__Output>
      StageDone: MessageTypeDefinition<_limbeck_v1_StageDone, _limbeck_v1_StageDone__Output>
      StatusReply: MessageTypeDefinition<_limbeck_v1_StatusReply, _limbeck_v1_StatusReply__Output>
      StatusRequest: MessageTypeDefinition<_limbeck_v1_StatusRequest, _limbeck_v1_StatusRequest__Output>
      StopReply: MessageTypeDefinition<_limbeck_v1_StopReply, _limbeck_v1_StopReply__Output>
      StopRequest: MessageTypeDefinition<_limbeck_v1_StopRequest, _limbeck_v1_StopRequest__Output>
      StopWorker: MessageTypeDefinition<_limbeck_v1_StopWorker, _limbeck_v1_StopWorker__Output>
      SubmitReply: MessageTypeDefinition<_limbeck_v1_SubmitReply, _limbeck_v1_SubmitReply__Output>
      SubmitRequest: MessageTypeDefinition<_limbeck_v1_SubmitRequest, _limbeck_v1_SubmitRequest__Output>
      Suspect: MessageTypeDefinition<_limbeck_v1_Suspect, _limbeck_v1_Suspect__Output>
      Teacher: SubtypeConstructor<typeof grpc.Client, _limbeck_v1_TeacherClient> & { service: _limbeck_v1_TeacherDefinition }
      ToWorker: MessageTypeDefinition<_limbeck_v1_ToWorker, _limbeck_v1_ToWorker__Output>
      TreeNode: MessageTypeDefinition<_limbeck_v1_TreeNode, _limbeck_v1_TreeNode__Output>
      Warned: MessageTypeDefinition<_limbeck_v1_Warned, _limbeck_v1_Warned__Output>
      WatchEvent: MessageTypeDefinition<_limbeck_v1_WatchEvent, _limbeck_v1_WatchEvent__Output>
      WatchRequest: MessageTypeDefinition<_limbeck_v1_WatchRequest, _limbeck_v1_WatchRequest__Output>
      Welcome: MessageTypeDefinition<_limbeck_v1_Welcome, _limbeck_v1_Welcome__Output>
    }
  }
}

