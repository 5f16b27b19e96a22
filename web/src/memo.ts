// Components that are drawn again only when one of their properties is another.

import { Component, type ComponentChild, createElement, type FunctionComponent } from "preact";

export function memo<P extends object>(
    draw: (props: P) => ComponentChild,
): FunctionComponent<P> {
    class Memo extends Component<P> {
        override shouldComponentUpdate(next: Readonly<P>): boolean {
            return !sameEntries(this.props, next);
        }
        override render(): ComponentChild {
            return createElement(draw as FunctionComponent<P>, this.props as P);
        }
    }
    return Memo as unknown as FunctionComponent<P>;
}

function sameEntries(a: object, b: object): boolean {
    const keys = Object.keys(a) as (keyof typeof a)[];
    return (
        keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key], b[key]))
    );
}
