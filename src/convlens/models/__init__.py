"""The networks: the tutorials' convnet and VGG16."""
