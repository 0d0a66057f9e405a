// Original file: limbeck.proto


export interface TreeNode {
  'level'?: (number);
  'index'?: (number);
}

export interface TreeNode__Output {
  'level': (number);
  'index': (number);
}
