// The scenes of a film (see ../scenes.py) as a React composition.
import React from 'react';
import {
  AbsoluteFill, Composition, Img, Sequence, cancelRender, continueRender, delayRender,
  registerRoot, staticFile, useCurrentFrame,
} from 'remotion';

const WEIGHT = {regular: 400, bold: 700};

// Each weight is loaded when the film has a text of it.
const Fonts = ({scenes, children}) => {
  const [ready, setReady] = React.useState(false);
  const [handle] = React.useState(() => delayRender('fonts'));
  React.useEffect(() => {
    const lines = scenes.flatMap((scene) => scene.texts);
    const names = new Set(lines.map((line) => (line.bold ? 'bold' : 'regular')));
    const load = async (weight) => {
      const face = new FontFace('Film', `url(${staticFile(`${weight}.ttf`)})`, {weight: WEIGHT[weight]});
      document.fonts.add(await face.load());
    };
    Promise.all([...names].map(load)).then(() => setReady(true), cancelRender);
  }, [scenes]);
  React.useEffect(() => {
    if (ready) continueRender(handle);
  }, [ready, handle]);
  return ready ? children : null;
};

const Picture = ({picture, frames}) => {
  const share = useCurrentFrame() / Math.max(1, frames - 1);
  const [from, to] = picture.motion ?? [[1, 0, 0], [1, 0, 0]];
  const [factor, x, y] = from.map((value, at) => value + (to[at] - value) * share);
  const {width, height} = picture;
  const box = {position: 'absolute', left: picture.x, top: picture.y, width, height};
  const transform = `translate(${-x * width}px, ${-y * height}px) scale(${factor})`;
  return (
    <div style={{...box, overflow: 'hidden'}}>
      <Img src={staticFile(picture.file)} style={{width, height, objectFit: 'cover', transform}} />
    </div>
  );
};

const Line = ({line}) => {
  const place = {position: 'absolute', left: line.x, top: line.y, whiteSpace: 'pre'};
  const face = {fontFamily: 'Film', fontWeight: WEIGHT[line.bold ? 'bold' : 'regular'], fontSize: line.size};
  return <div style={{...place, ...face, lineHeight: `${line.height}px`, color: 'white'}}>{line.text}</div>;
};

const Scene = ({scene, fps}) => {
  const frames = Math.round(scene.seconds * fps);
  return (
    <AbsoluteFill style={{backgroundColor: scene.colour}}>
      {scene.pictures.map((picture, at) => <Picture key={at} picture={picture} frames={frames} />)}
      {scene.texts.map((line, at) => {
        const from = Math.round(line.start * fps);
        const shown = Math.max(1, Math.round(line.end * fps) - from);
        return (
          <Sequence key={at} from={from} durationInFrames={shown} layout="none">
            <Line line={line} />
          </Sequence>
        );
      })}
    </AbsoluteFill>
  );
};

const Film = ({scenes, fps}) => {
  let from = 0;
  const shown = scenes.map((scene, at) => {
    const frames = Math.round(scene.seconds * fps);
    from += frames;
    return (
      <Sequence key={at} from={from - frames} durationInFrames={frames}>
        <Scene scene={scene} fps={fps} />
      </Sequence>
    );
  });
  return <Fonts scenes={scenes}>{shown}</Fonts>;
};

const measure = ({props}) => {
  const frames = props.scenes.reduce((sum, scene) => sum + Math.round(scene.seconds * props.fps), 0);
  return {width: props.width, height: props.height, fps: props.fps, durationInFrames: frames};
};

registerRoot(() => (
  <Composition id="film" component={Film} calculateMetadata={measure}
    defaultProps={{scenes: [], fps: 30, width: 1920, height: 1080}} />
));
