// Original file: limbeck.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ArtifactsReply as _limbeck_v1_ArtifactsReply, ArtifactsReply__Output as _limbeck_v1_ArtifactsReply__Output } from '../../limbeck/v1/ArtifactsReply.ts';
import type { ArtifactsRequest as _limbeck_v1_ArtifactsRequest, ArtifactsRequest__Output as _limbeck_v1_ArtifactsRequest__Output } from '../../limbeck/v1/ArtifactsRequest.ts';
import type { ControlReply as _limbeck_v1_ControlReply, ControlReply__Output as _limbeck_v1_ControlReply__Output } from '../../limbeck/v1/ControlReply.ts';
import type { ControlRequest as _limbeck_v1_ControlRequest, ControlRequest__Output as _limbeck_v1_ControlRequest__Output } from '../../limbeck/v1/ControlRequest.ts';
import type { FetchPiece as _limbeck_v1_FetchPiece, FetchPiece__Output as _limbeck_v1_FetchPiece__Output } from '../../limbeck/v1/FetchPiece.ts';
import type { FetchRequest as _limbeck_v1_FetchRequest, FetchRequest__Output as _limbeck_v1_FetchRequest__Output } from '../../limbeck/v1/FetchRequest.ts';
import type { ListReply as _limbeck_v1_ListReply, ListReply__Output as _limbeck_v1_ListReply__Output } from '../../limbeck/v1/ListReply.ts';
import type { ListRequest as _limbeck_v1_ListRequest, ListRequest__Output as _limbeck_v1_ListRequest__Output } from '../../limbeck/v1/ListRequest.ts';
import type { SubmitReply as _limbeck_v1_SubmitReply, SubmitReply__Output as _limbeck_v1_SubmitReply__Output } from '../../limbeck/v1/SubmitReply.ts';
import type { SubmitRequest as _limbeck_v1_SubmitRequest, SubmitRequest__Output as _limbeck_v1_SubmitRequest__Output } from '../../limbeck/v1/SubmitRequest.ts';

export interface JobsClient extends grpc.Client {
  Artifacts(argument: _limbeck_v1_ArtifactsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  Artifacts(argument: _limbeck_v1_ArtifactsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  Artifacts(argument: _limbeck_v1_ArtifactsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  Artifacts(argument: _limbeck_v1_ArtifactsRequest, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  artifacts(argument: _limbeck_v1_ArtifactsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  artifacts(argument: _limbeck_v1_ArtifactsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  artifacts(argument: _limbeck_v1_ArtifactsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  artifacts(argument: _limbeck_v1_ArtifactsRequest, callback: grpc.requestCallback<_limbeck_v1_ArtifactsReply__Output>): grpc.ClientUnaryCall;
  
  Control(argument: _limbeck_v1_ControlRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  Control(argument: _limbeck_v1_ControlRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  Control(argument: _limbeck_v1_ControlRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  Control(argument: _limbeck_v1_ControlRequest, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  control(argument: _limbeck_v1_ControlRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  control(argument: _limbeck_v1_ControlRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  control(argument: _limbeck_v1_ControlRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  control(argument: _limbeck_v1_ControlRequest, callback: grpc.requestCallback<_limbeck_v1_ControlReply__Output>): grpc.ClientUnaryCall;
  
  Fetch(argument: _limbeck_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_FetchPiece__Output>;
  Fetch(argument: _limbeck_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_FetchPiece__Output>;
  fetch(argument: _limbeck_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_FetchPiece__Output>;
  fetch(argument: _limbeck_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_FetchPiece__Output>;
  
  List(argument: _limbeck_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _limbeck_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _limbeck_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _limbeck_v1_ListRequest, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _limbeck_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _limbeck_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _limbeck_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _limbeck_v1_ListRequest, callback: grpc.requestCallback<_limbeck_v1_ListReply__Output>): grpc.ClientUnaryCall;
  
  Submit(argument: _limbeck_v1_SubmitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  Submit(argument: _limbeck_v1_SubmitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  Submit(argument: _limbeck_v1_SubmitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  Submit(argument: _limbeck_v1_SubmitRequest, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  submit(argument: _limbeck_v1_SubmitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  submit(argument: _limbeck_v1_SubmitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  submit(argument: _limbeck_v1_SubmitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  submit(argument: _limbeck_v1_SubmitRequest, callback: grpc.requestCallback<_limbeck_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  
}

export interface JobsHandlers extends grpc.UntypedServiceImplementation {
  Artifacts: grpc.handleUnaryCall<_limbeck_v1_ArtifactsRequest__Output, _limbeck_v1_ArtifactsReply>;
  
  Control: grpc.handleUnaryCall<_limbeck_v1_ControlRequest__Output, _limbeck_v1_ControlReply>;
  
  Fetch: grpc.handleServerStreamingCall<_limbeck_v1_FetchRequest__Output, _limbeck_v1_FetchPiece>;
  
  List: grpc.handleUnaryCall<_limbeck_v1_ListRequest__Output, _limbeck_v1_ListReply>;
  
  Submit: grpc.handleUnaryCall<_limbeck_v1_SubmitRequest__Output, _limbeck_v1_SubmitReply>;
  
}

export interface JobsDefinition extends grpc.ServiceDefinition {
  Artifacts: MethodDefinition<_limbeck_v1_ArtifactsRequest, _limbeck_v1_ArtifactsReply, _limbeck_v1_ArtifactsRequest__Output, _limbeck_v1_ArtifactsReply__Output>
  Control: MethodDefinition<_limbeck_v1_ControlRequest, _limbeck_v1_ControlReply, _limbeck_v1_ControlRequest__Output, _limbeck_v1_ControlReply__Output>
  Fetch: MethodDefinition<_limbeck_v1_FetchRequest, _limbeck_v1_FetchPiece, _limbeck_v1_FetchRequest__Output, _limbeck_v1_FetchPiece__Output>
  List: MethodDefinition<_limbeck_v1_ListRequest, _limbeck_v1_ListReply, _limbeck_v1_ListRequest__Output, _limbeck_v1_ListReply__Output>
  Submit: MethodDefinition<_limbeck_v1_SubmitRequest, _limbeck_v1_SubmitReply, _limbeck_v1_SubmitRequest__Output, _limbeck_v1_SubmitReply__Output>
}
