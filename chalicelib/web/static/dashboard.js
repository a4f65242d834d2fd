"use strict";(()=>{var P,kt,So,fe,Ze,Ne,Ct,Me,St,nt,et,Tt,Ee=Symbol.for("pv"),Oe={},Le=[],To=/^m(i|n|o|s|text|space)$/,ot=Array.isArray,Et=Le.slice,ke=Object.assign;function ye(t){t&&t.parentNode&&t.remove()}function De(t,n,o,r,a){var i={type:t,props:n,key:o,ref:r,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Ee,__v:a||++kt,__i:-1,__u:0};return!a&&P.vnode&&P.vnode(i),i}function _(t){return t.children}function ze(t,n){this.props=t,this.context=n,this.__g=0}function me(t,n){if(n==null)return t.__&&me(t.__,t.__i+1);for(var o;n<t.__k.length;n++)if((o=t.__k[n])&&o.__e)return o.__e;return typeof t.type!="function"||t.props.__P?null:me(t)}function Eo(t){var n,o=t.__v,r=o.__e,a=[],i=[],s=t.__P;s&&((n=ke({constructor:Ee},o)).__v=o.__v+1,P.vnode&&P.vnode(n),rt(s,n,o,t.__n,s.namespaceURI,32&o.__u?[r]:null,a,r||me(o),32&o.__u,i),n.__v=o.__v,n.__.__k[n.__i]=n,Mt(a,n,i),o.__=o.__e=null,n.__e!=r&&Bt(n))}function Bt(t){if((t=t.__)&&t.__c&&!t.props.__P)return t.__e=null,t.__k.some(function(n){return n&&(t.__e=n.__e)}),Bt(t)}function tt(t){(8&t.__g||(t.__g|=8,fe.push(t),Ne++))&&Ze==P.debounceRendering||((Ze=P.debounceRendering)||queueMicrotask)(It)}function It(){try{for(var t,n=1;fe.length;)fe.length>n&&fe.sort(Ct),t=fe.shift(),n=fe.length,8&t.__g&&Eo(t)}finally{(Ne=fe.length)&&(Ze||queueMicrotask)(It)}}function Rt(t,n,o,r,a,i,s,d,p,g,u){var h,c,l,m,k,y,C=r.__k||Le,w=n.length;for(p=Bo(o,n,C,p,w),h=0;h<w;h++)(l=o.__k[h])!=null&&(c=~l.__i&&C[l.__i]||Oe,l.__i=h,y=rt(t,l,c,a,i,s,d,p,g,u),m=l.__e,(c.ref!=l.ref||8&c.__u)&&(c.ref&&it(c.ref,null,l,c),l.ref&&u.push(l.ref,l.__c||m,l)),k=k||m,4&l.__u?(p=Pt(l,p,t,!c.__v),c.__e&&(c.__e=null)):typeof l.type=="function"&&y!==void 0?p=y:m&&(p=m.nextSibling),l.__u&=-21);return o.__e=k,p}function Bo(t,n,o,r,a){var i,s,d,p,g,u,h,c,l,m=o.length,k=m,y=0,C=0,w=t.__k=Array(a);for(i=0;i<a;i++)(s=n[i])!=null&&typeof s!="boolean"&&typeof s!="function"?(typeof s!="object"||s.constructor===String?s=w[i]=De(null,s):ot(s)?s=w[i]=De(_,{children:s}):s.constructor===Ee&&s.__b?s=w[i]=De(s.type,s.props,s.key,s.ref,s.__v):w[i]=s,p=i+y,s.__=t,s.__b=t.__b+1,d=null,~(g=s.__i=Io(s,o,p,k))&&(k--,(d=o[g])&&(d.__u|=2)),d&&d.__v?(s.__u|=16,g==p-1?y--:g==p+1?y++:g!=p&&(g>p?y--:y++,C=1)):(~g||(a>m?y--:a<m&&y++),typeof s.type!="function"&&(s.__u|=4))):w[i]=null;if(C){for(u=[],h=[],i=0;i<a;i++)if((s=w[i])&&16&s.__u){for(y=0,c=u.length;y<c;)u[l=y+c>>1]<s.__i?y=l+1:c=l;u[y]=s.__i,h[i]=y+1}for(y=u.length;i--;)h[i]&&(h[i]==y?y--:w[i].__u|=4)}if(k)for(i=0;i<m;i++)!(d=o[i])||2&d.__u||(d.__e==r&&(r=me(d)),st(d,d));return r}function Pt(t,n,o,r){var a,i,s,d;if(typeof t.type=="function"){if(t.props.__P)return n;if(a=t.__k)for(i=0;i<a.length;i++)a[i]&&(a[i].__=t,n=Pt(a[i],n,o,!1));return n}for(n&&!n.parentNode&&(n=me(t))&&!n.parentNode&&(n=null),s=t.__e,d=n;d&&d.nodeType==8;)d=d.nextSibling;for(s!=d&&(!r&&o.moveBefore&&s.parentNode?o.moveBefore(s,n):o.insertBefore(s,n||null)),n=s;(n=n&&n.nextSibling)&&n.nodeType==8&&!n.data.startsWith("$s"););return n}function Io(t,n,o,r){var a,i=t.key,s=t.type,d=n[o],p=d&&!(2&d.__u);if(d===null&&i==null||p&&i==d.key&&s==d.type)return o;if(r>(p?1:0)){for(a=o-1;a>=0;a--)if((d=n[a])&&!(2&d.__u)&&i==d.key&&s==d.type)return a;for(a=o+1;a<n.length;a++)if((d=n[a])&&!(2&d.__u)&&i==d.key&&s==d.type)return a}return-1}function yt(t,n,o){o==null&&(o=""),n[0]=="-"?t.setProperty(n,o):t[n]=o}function Ae(t,n,o,r,a){var i,s;if(n=="style")if(typeof o=="string")t.style.cssText=o;else{if(typeof r=="string"&&(t.style.cssText=r=""),r)for(n in r)o&&n in o||yt(t.style,n);if(o)for(n in o)r&&o[n]==r[n]||yt(t.style,n,o[n])}else if(n[0]=="o"&&n[1]=="n")typeof o!="function"&&(o=null),typeof r!="function"&&(r=null),(t.__e||(t.__e={}))[n]=o,o&&r||(s=et[n]||(et[n]=Ro(n)),(t.__a||(t.__a={}))[n]=nt,i=n!=(n=n.replace(St,"$1")),(n=n.slice(2))[0]<"a"&&(n=n.toLowerCase()),o?t.addEventListener(n,s,i):t.removeEventListener(n,s,i));else{if(a=="http://www.w3.org/2000/svg")n=n.replace(/xlink(H|:h)/,"h").replace(/sName$/,"s");else if(n!="width"&&n!="height"&&n!="href"&&n!="list"&&n!="form"&&n!="tabIndex"&&n!="download"&&n!="rowSpan"&&n!="colSpan"&&n!="role"&&n!="popover"&&n in t)try{return void(t[n]=o??"")}catch{}if(typeof o=="function")return;o==null||o===!1&&n[4]!="-"?t.removeAttribute(n):t.setAttribute(n,n=="popover"&&o==1?"":o)}}function Ro(t){return function(n){var o=this.__e;if(o){if(o=o[t],n[Me]==null)n[Me]=nt++;else if(n[Me]<this.__a[t])return;return o(P.event?P.event(n):n)}}}function rt(t,n,o,r,a,i,s,d,p,g){var u,h,c,l,m,k,y,C,w,I,v,z,L,oe,W,A,$,se,re=n.type;if(n.constructor!==Ee)return null;128&o.__u&&(p=32&o.__u,u=o.__c.__z)&&(n.__u|=p,h=i=[],u.nodeType==8?d=$e(u,i):i.push(u),d=i[0]||d),(u=P.__b)&&u(n);e:if(typeof re=="function"){c=s.length;try{if(C=n.props,w=(u=re.prototype)&&u.render,I=(u=re.contextType)&&r[u.__c],v=u?I?I.props.value:u.__:r,(l=o.__c)?(n.__c=l,2&l.__g&&(l.__g|=1)):(w?n.__c=l=new re(C,v):(n.__c=l=new ze(C,v),l.constructor=re,l.render=Ao),I&&I.sub(l),l.state||(l.state={}),l.__n=r,l.__g|=8,l.__h=[],l.__k=[]),w&&(l.__s||(l.__s=l.state),re.getDerivedStateFromProps&&(l.__s==l.state&&(l.__s=ke({},l.__s)),ke(l.__s,re.getDerivedStateFromProps(C,l.__s)))),m=l.props,k=l.state,l.__v=n,o.__c){if(C!==m&&w&&!re.getDerivedStateFromProps&&l.componentWillReceiveProps&&l.componentWillReceiveProps(C,v),n.__v==o.__v&&!(8&l.__g)||!(4&l.__g)&&l.shouldComponentUpdate&&l.shouldComponentUpdate(C,l.__s,v)===!1){n.__v!=o.__v&&(l.props=C,l.state=l.__s,l.__g&=-9),n.__e=o.__e,n.__k=o.__k,n.__k.some(function(Y){Y&&(Y.__=n)}),Le.push.apply(l.__h,l.__k),l.__k=[],l.__h.length&&s.push(l),d=me(o);break e}l.componentWillUpdate&&l.componentWillUpdate(C,l.__s,v),w&&l.componentDidUpdate&&l.__h.push(function(){l.componentDidUpdate(m,k,y)})}else w&&!re.getDerivedStateFromProps&&l.componentWillMount&&l.componentWillMount(),w&&l.componentDidMount&&l.__h.push(l.componentDidMount);l.context=v,l.props=C,l.__P=t,l.__g&=-5,z=P.__r,L=w?25:0;do l.__g&=-9,z&&z(n),u=l.render(l.props,l.state=l.__s,l.context);while(8&l.__g&&++L<25);w&&(Le.push.apply(l.__h,l.__k),l.__k=[]),l.state=l.__s,l.getChildContext&&(r=ke({},r,l.getChildContext())),w&&o.__c&&l.getSnapshotBeforeUpdate&&(y=l.getSnapshotBeforeUpdate(m,k)),oe=u&&u.type===_&&u.key==null?u.props.children:u,C.__P&&(u=d,a=(t=C.__P).namespaceURI,p=i=null,o.props&&o.props.__P!=t&&(o.__k.some(function(Y){Y&&st(Y,Y)}),o.__k=null),d=o.__k?me(o,0):null),d=Rt(t,ot(oe)?oe:[oe],n,o,r,a,i,s,d,p,g),C.__P&&(n.__e=null,d=u),n.__u&=-161,h&&h.some(ye),l.__h.length&&s.push(l),1&l.__g&&(l.__g&=-4)}catch(Y){if(s.length=c,n.__v=null,p||i)if(Y&&Y.then){if(n.__u|=128|p,i){for(~($=i.indexOf(d||void 0))||($=i.length);(se=i[$-1])&&se.nodeType==8;)$--;for(;$<i.length;$++)if(se=i[$])if(i[$]=null,W){if(se==A)break}else{if(se.nodeType!=8)break;se.data.startsWith("$s")&&(A=$e(W=se))}}if(!W){for(;d&&d.nodeType==8&&d.nextSibling;)d=d.nextSibling;W=d}(u=$e(W=n.__c.__z||(n.__c.__z=W)))?(n.__e=W,d=u):n.__e=d,d=d&&d.nextSibling}else i&&i.some(ye);else n.__e=o.__e;n.__k||(n.__k=o.__k||[]),Y&&Y.then||At(n),P.__e(Y,n,o)}}else d=n.__e=Po(o.__e,n,o,r,a,i,s,p,g,t);return(u=P.diffed)&&u(n),d}function $e(t,n){if(t&&t.nodeType==8&&t.data.startsWith("$s"))for(var o=1;t=t.nextSibling;){if(t.nodeType==8){if(t.data.startsWith("$s"))o++;else if(t.data.startsWith("/$s")&&!--o)return t}n&&n.push(t)}}function At(t){t&&(t.__c&&(t.__c.__g|=4),t.__k&&t.__k.some(At))}function Mt(t,n,o){for(var r=0;r<o.length;)it(o[r++],o[r++],o[r++]);P.__c&&P.__c(n,t),t.some(function(a){try{t=a.__h,a.__h=[],t.some(function(i){i.call(a)})}catch(i){P.__e(i,a.__v)}})}function Po(t,n,o,r,a,i,s,d,p,g){var u,h,c,l,m,k,y,C,w=o.props||Oe,I=n.props,v=n.type;if(v=="svg"?a="http://www.w3.org/2000/svg":v=="math"?a="http://www.w3.org/1998/Math/MathML":a||(a="http://www.w3.org/1999/xhtml"),i){for(u=0;u<i.length;u++)if((m=i[u])&&(v?m.localName==v:m.nodeType==3)){t=m,i[u]=null;break}}if(!t){if(C=g.ownerDocument||document,!v)return C.createTextNode(I);t=C.createElementNS(a,v,I.is?I:g),d&&(P.__m&&P.__m(n,i),d=!1),i=null}if(v){if(g=v=="template"&&t.content||t,i=v=="textarea"&&I.defaultValue!=null?null:i&&Et.call(g.childNodes),!d&&i)for(w={},u=0;u<t.attributes.length;u++)w[(m=t.attributes[u]).name]=m.value;for(u in w)m=w[u],u=="dangerouslySetInnerHTML"?c=m:u=="children"||u in I||u=="value"&&"defaultValue"in I||u=="checked"&&"defaultChecked"in I||Ae(t,u,null,m,a);for(u in I)m=I[u],u=="children"?l=m:u=="dangerouslySetInnerHTML"?h=m:u=="value"?k=m:u=="checked"?y=m:d&&typeof m!="function"||w[u]===m||Ae(t,u,m,w[u],a);h?(d||c&&(h.__html==c.__html||h.__html==t.innerHTML)||(t.innerHTML=h.__html),n.__k=[]):(c&&(t.textContent=""),(v=="foreignObject"||a=="http://www.w3.org/1998/Math/MathML"&&To.test(v))&&(a="http://www.w3.org/1999/xhtml"),Rt(g,ot(l)?l:[l],n,o,r,a,i,s,i?i[0]:o.__k&&me(o,0),d,p),i&&i.some(ye)),d&&v!="textarea"||(u="value",v=="progress"&&k==null?t.removeAttribute(u):k==null||k===t[u]&&(v!="progress"||k)||Ae(t,u,k,w[u],a),u="checked",y!=null&&y!=t[u]&&Ae(t,u,y,w[u],a))}else w===I||d&&t.data==I||(t.data=I);return t}function it(t,n,o,r){try{typeof t=="function"?n?n.__x=t(n)||1:r&&(r=r.__c||r.__e)&&(n=r.__x)&&(r.__x=null,typeof n=="function"?n():t(null)):t.current=n}catch(a){P.__e(a,o)}}function st(t,n,o){var r,a,i,s;if(P.unmount&&P.unmount(t),!(r=t.ref)||r.current&&r.current!=t.__e||it(r,null,n,t),r=t.__c){if(r.componentWillUnmount)try{r.componentWillUnmount()}catch(d){P.__e(d,n)}r.__P=r.__n=null}if(r=t.__k)for(s=0;s<r.length;s++)r[s]&&st(r[s],n,typeof t.type!="function"||o&&!t.props.__P);!o&&(r=t.__c)&&(r=r.__z)&&(a=$e(r,i=[]))&&(r==t.__e&&i.some(ye),ye(a),ye(r)),o||ye(t.__e),t.__e=t.__c=t.__=null}function Ao(t,n,o){return this.constructor(t,o)}function Dt(t,n){var o,r,a,i;P.__&&P.__(t,n),n.nodeType==9&&(n=n.documentElement),r=(o=t&&32&t.__u)?null:n.__k,n.__k=De(_,{children:[t]}),a=[],i=[],rt(n,n.__k,r||Oe,Oe,n.namespaceURI,r?null:n.firstChild?Et.call(n.childNodes):null,a,r?r.__e:n.firstChild,o,i),Mt(a,n.__k,i),n.__k.props.children=null}function zt(t){function n(o){var r,a;return this.getChildContext||(r=new Set,(a={})[n.__c]=this,this.getChildContext=function(){return a},this.shouldComponentUpdate=function(i){this.props.value!=i.value&&r.forEach(function(s){s.__g|=4,tt(s)})},this.sub=function(i){r.add(i);var s=i.componentWillUnmount;i.componentWillUnmount=function(){r.delete(i),s&&s.call(i)}}),o.children}return n.__c="__cC"+Tt++,n.__=t,n.Provider=(n.Consumer=function(o,r){return o.children(r)}).contextType=n,n}P={__e:function(t,n,o,r){for(var a,i,s;n=n.__;)if((a=n.__c)&&!(1&a.__g)){a.__g|=4;try{if((s=(i=a.constructor)&&i.getDerivedStateFromError)&&a.setState(i.getDerivedStateFromError(t)),a.componentDidCatch&&(a.componentDidCatch(t,r||{}),s=1),s&&8&a.__g)return void(a.__g|=2)}catch(d){t=d}}throw Ne=0,t}},kt=0,So=function(t){return t!=null&&t.constructor===Ee},ze.prototype.setState=function(t,n){var o=this.__s;o&&o!=this.state||(o=this.__s=ke({},this.state)),typeof t=="function"&&(t=t(ke({},o),this.props)),t&&(ke(o,t),this.__v&&(n&&this.__k.push(n),tt(this)))},ze.prototype.forceUpdate=function(t){this.__v&&(this.__g|=4,t&&this.__h.push(t),tt(this))},ze.prototype.render=_,fe=[],Ne=0,Ct=function(t,n){return t.__v.__b-n.__v.__b},Me=Symbol(),St=/(PointerCapture)$|Capture$/i,nt=0,et={},Tt=0;var ve,F,at,$t,lt=Object.is,Ie=0,Wt=[],dt=[],U=P,Nt=U.__b,Ot=U.__r,Lt=U.diffed,Ft=U.__c,jt=U.unmount,Ut=U.__;function Ce(t,n){U.__h&&U.__h(F,t,Ie||n),Ie=0;var o=F.__H||(F.__H={__:[],__h:[]});return t>=o.__.length&&o.__.push({}),o.__[t]}function f(t){return Ie=1,Mo(Yt,t)}function Mo(t,n,o){var r=Ce(ve++,2);if(r.t=t,!r.__c&&(r.__=[o?o(n):Yt(void 0,n),function(i){var s=(r.__N||r.__)[0],d=r.t(s,i);lt(s,d)||(r.__N=[d,r.__[1]],r.__c.setState({}))}],r.__c=F,!F.__f)){F.__f=!0;var a=F.shouldComponentUpdate;F.shouldComponentUpdate=function(i,s,d){var p=this.__H;if(!p)return!0;var g=!1,u=this.props!=i;if(p.__.some(function(c){c.__N&&(g=!0,lt(c.__[0],c.__N[0])||(u=!0))}),a){var h=a.call(this,i,s,d);return g?h||u:h}return!g||u}}return r.__}function N(t,n){var o=Ce(ve++,3);!U.__s&&pt(o.__H,n)&&(o.__P=!0,o.__=t,o.u=n,F.__H.__h.push(o))}function Vt(t,n){var o=Ce(ve++,4);!U.__s&&pt(o.__H,n)&&(o.__P=!1,o.__=t,o.u=n,F.__h.push(o))}function X(t){return Ie=5,Gt(function(){return{current:t}},[])}function Gt(t,n){var o=Ce(ve++,7);return pt(o.__H,n)&&(o.__=t(),o.__H=n),o.__}function Kt(t,n){return Ie=8,Gt(function(){return t},n)}function Jt(t){var n=F.context[t.__c],o=Ce(ve++,9);return o.c=t,n?(o.__==null&&(o.__=!0,n.sub(F)),n.props.value):t.__}function ut(){var t=Ce(ve++,11);if(!t.__){for(var n=F.__v;!n.__m&&n.__;)n=n.__;var o=n.__m||(n.__m=[0,0]);t.__="P"+o[0]+"-"+o[1]++}return t.__}function Do(){var t;do{for(;t=dt.shift();)try{Be(t)}catch(o){U.__e(o,{__:(t=t.__P)&&t.__v})}for(;t=Wt.shift();){var n=t.__H;if(t.__P&&n)try{n.__h.some(Be),n.__h.some(ct),n.__h=[]}catch(o){n.__h=[],U.__e(o,t.__v)}}}while(dt.length)}U.__b=function(t){F=null,Nt&&Nt(t)},U.__=function(t,n){t&&n.__k&&n.__k.__m&&(t.__m=n.__k.__m),Ut&&Ut(t,n)},U.__r=function(t){Ot&&Ot(t),ve=0;var n=(F=t.__c).__H;n&&(at==F?F.__h=[]:(n.__h.some(Be),n.__h.some(ct),ve=0),n.__h=[],n.__.some(function(o){o.__N&&(o.__=o.__N),o.u=o.__N=void 0})),at=F},U.diffed=function(t){Lt&&Lt(t);var n=t.__c;n&&n.__H&&(n.__H.__h.length&&qt(Wt.push(n)),n.__H.__.some(function(o){o.u&&(o.__H=o.u)})),at=F=null},U.__c=function(t,n){n.some(function(o){try{o.__h.some(Be),o.__h=o.__h.filter(function(r){return!r.__||ct(r)})}catch(r){o.__h=[function(){throw r}]}}),Ft&&Ft(t,n)},U.unmount=function(t){jt&&jt(t);var n,o,r=t.__c;r&&r.__H&&(r.__H.__.some(function(a){try{if(a.__P&&a.__c){if(o===void 0){for(o=t.__;o&&(!o.__c||!o.__c.__P);)o=o.__;o=o&&o.__c}a.__P=o,qt(dt.push(a))}else Be(a)}catch(i){n=i}}),r.__H=void 0,n&&U.__e(n,r.__v))};var Ht=typeof requestAnimationFrame=="function";function zo(t){var n,o=function(){clearTimeout(r),Ht&&cancelAnimationFrame(n),setTimeout(t)},r=setTimeout(o,35);Ht&&(n=requestAnimationFrame(o))}function qt(t){t!=1&&$t==U.requestAnimationFrame||(($t=U.requestAnimationFrame)||zo)(Do)}function Be(t){var n=F,o=t.__c;typeof o=="function"&&(t.__c=void 0,o()),F=n}function ct(t){var n=F;t.__c=t.__(),F=n}function pt(t,n){return!t||t.length!=n.length||n.some(function(o,r){return!lt(o,t[r])})}function Yt(t,n){return typeof n=="function"?n(t):n}var pe=class extends Error{constructor(o,r,a,i){super(o);this.code=r;this.status=a;this.fields=i}code;status;fields},Xt="",Qt=()=>{};function Zt(t){Xt=t}function en(t){Qt=t}function Fe(t){let n=Object.entries(t).filter(o=>!!o[1]);return n.length?`?${new URLSearchParams(n)}`:""}function R(t,n={}){return tn("GET",t+Fe(n))}function E(t,n,o={}){return tn(t,n,o)}async function tn(t,n,o){let r=o?{"Content-Type":"application/json","X-CSRF-Token":Xt}:{},a;try{a=await fetch(`/dashboard/api${n}`,{method:t,headers:r,credentials:"same-origin",...o?{body:JSON.stringify(o)}:{}})}catch{throw new pe("Standpipe cannot be reached. Check your connection and try again.","offline",0,{})}let i;try{i=await a.json()}catch{i={}}if(a.ok)return i;let{message:s,code:d,errors:p}=i;a.status===401&&Qt();let g=Object.fromEntries((p??[]).map(u=>[u.field,u.code]));throw new pe(s??`The server answered ${a.status}.`,d??"unknown",a.status,g)}var nn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-activity"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M22 12h-2.48a2 2 0 0 0-1.93 1.46l-2.35 8.36a.25.25 0 0 1-.48 0L9.24 2.18a.25.25 0 0 0-.48 0l-2.35 8.36A2 2 0 0 1 4.49 12H2" />
</svg>
`;var on=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-triangle-alert"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m21.73 18-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3" />
  <path d="M12 9v4" />
  <path d="M12 17h.01" />
</svg>
`;var rn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-arrow-left"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m12 19-7-7 7-7" />
  <path d="M19 12H5" />
</svg>
`;var sn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-arrow-right"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M5 12h14" />
  <path d="m12 5 7 7-7 7" />
</svg>
`;var an=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-bell"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M10.268 21a2 2 0 0 0 3.464 0" />
  <path d="M3.262 15.326A1 1 0 0 0 4 17h16a1 1 0 0 0 .74-1.673C19.41 13.956 18 12.499 18 8A6 6 0 0 0 6 8c0 4.499-1.411 5.956-2.738 7.326" />
</svg>
`;var ln=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-check"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M20 6 9 17l-5-5" />
</svg>
`;var dn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-chevron-right"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m9 18 6-6-6-6" />
</svg>
`;var cn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-circle-alert"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="10" />
  <line x1="12" x2="12" y1="8" y2="12" />
  <line x1="12" x2="12.01" y1="16" y2="16" />
</svg>
`;var un=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-circle-check"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="10" />
  <path d="m16 9-5.5 5.5L8 12" />
</svg>
`;var pn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-circle-x"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="10" />
  <path d="m15 9-6 6" />
  <path d="m9 9 6 6" />
</svg>
`;var hn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-copy"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <rect width="14" height="14" x="8" y="8" rx="2" ry="2" />
  <path d="M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2" />
</svg>
`;var gn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-external-link"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M15 3h6v6" />
  <path d="M10 14 21 3" />
  <path d="M18 13v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h6" />
</svg>
`;var fn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-flask-conical"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M14 2v6a2 2 0 0 0 .245.96l5.51 10.08A2 2 0 0 1 18 22H6a2 2 0 0 1-1.755-2.96l5.51-10.08A2 2 0 0 0 10 8V2" />
  <path d="M6.453 15h11.094" />
  <path d="M8.5 2h7" />
</svg>
`;var mn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-gauge"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m12 14 4-4" />
  <path d="M3.34 19a10 10 0 1 1 17.32 0" />
</svg>
`;var vn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-info"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="10" />
  <path d="M12 16v-4" />
  <path d="M12 8h.01" />
</svg>
`;var _n=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-key-round"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M2.586 17.414A2 2 0 0 0 2 18.828V21a1 1 0 0 0 1 1h3a1 1 0 0 0 1-1v-1a1 1 0 0 1 1-1h1a1 1 0 0 0 1-1v-1a1 1 0 0 1 1-1h.172a2 2 0 0 0 1.414-.586l.814-.814a6.5 6.5 0 1 0-4-4z" />
  <circle cx="16.5" cy="7.5" r=".5" fill="currentColor" />
</svg>
`;var bn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-link"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M10 13a5 5 0 0 0 7.54.54l3-3a5 5 0 0 0-7.07-7.07l-1.72 1.71" />
  <path d="M14 11a5 5 0 0 0-7.54-.54l-3 3a5 5 0 0 0 7.07 7.07l1.71-1.71" />
</svg>
`;var wn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-log-out"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m16 17 5-5-5-5" />
  <path d="M21 12H9" />
  <path d="M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4" />
</svg>
`;var xn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-menu"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M4 5h16" />
  <path d="M4 12h16" />
  <path d="M4 19h16" />
</svg>
`;var yn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-circle-minus"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="10" />
  <path d="M8 12h8" />
</svg>
`;var kn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-moon"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M20.985 12.486a9 9 0 1 1-9.473-9.472c.405-.022.617.46.402.803a6 6 0 0 0 8.268 8.268c.344-.215.825-.004.803.401" />
</svg>
`;var Cn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-plug"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M12 22v-5" />
  <path d="M15 8V2" />
  <path d="M17 8a1 1 0 0 1 1 1v4a4 4 0 0 1-4 4h-4a4 4 0 0 1-4-4V9a1 1 0 0 1 1-1z" />
  <path d="M9 8V2" />
</svg>
`;var Sn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-plus"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M5 12h14" />
  <path d="M12 5v14" />
</svg>
`;var Tn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-refresh-cw"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M3 12a9 9 0 0 1 9-9 9.75 9.75 0 0 1 6.74 2.74L21 8" />
  <path d="M21 3v5h-5" />
  <path d="M21 12a9 9 0 0 1-9 9 9.75 9.75 0 0 1-6.74-2.74L3 16" />
  <path d="M8 16H3v5" />
</svg>
`;var En=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-scroll-text"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M15 12h-5" />
  <path d="M15 8h-5" />
  <path d="M19 17V5a2 2 0 0 0-2-2H4" />
  <path d="M8 21h12a2 2 0 0 0 2-2v-1a1 1 0 0 0-1-1H11a1 1 0 0 0-1 1v1a2 2 0 1 1-4 0V5a2 2 0 1 0-4 0v2a1 1 0 0 0 1 1h3" />
</svg>
`;var Bn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-search"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m21 21-4.34-4.34" />
  <circle cx="11" cy="11" r="8" />
</svg>
`;var In=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-settings"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M9.671 4.136a2.34 2.34 0 0 1 4.659 0 2.34 2.34 0 0 0 3.319 1.915 2.34 2.34 0 0 1 2.33 4.033 2.34 2.34 0 0 0 0 3.831 2.34 2.34 0 0 1-2.33 4.033 2.34 2.34 0 0 0-3.319 1.915 2.34 2.34 0 0 1-4.659 0 2.34 2.34 0 0 0-3.32-1.915 2.34 2.34 0 0 1-2.33-4.033 2.34 2.34 0 0 0 0-3.831A2.34 2.34 0 0 1 6.35 6.051a2.34 2.34 0 0 0 3.319-1.915" />
  <circle cx="12" cy="12" r="3" />
</svg>
`;var Rn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-sun"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="4" />
  <path d="M12 2v2" />
  <path d="M12 20v2" />
  <path d="m4.93 4.93 1.41 1.41" />
  <path d="m17.66 17.66 1.41 1.41" />
  <path d="M2 12h2" />
  <path d="M20 12h2" />
  <path d="m6.34 17.66-1.41 1.41" />
  <path d="m19.07 4.93-1.41 1.41" />
</svg>
`;var Pn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-trash-2"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M10 11v6" />
  <path d="M14 11v6" />
  <path d="M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6" />
  <path d="M3 6h18" />
  <path d="M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2" />
</svg>
`;var An=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-unplug"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m19 5 3-3" />
  <path d="m2 22 3-3" />
  <path d="M6.3 20.3a2.4 2.4 0 0 0 3.4 0L12 18l-6-6-2.3 2.3a2.4 2.4 0 0 0 0 3.4Z" />
  <path d="M7.5 13.5 10 11" />
  <path d="M10.5 16.5 13 14" />
  <path d="m12 6 6 6 2.3-2.3a2.4 2.4 0 0 0 0-3.4l-2.6-2.6a2.4 2.4 0 0 0-3.4 0Z" />
</svg>
`;var Mn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-wand-sparkles"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m21.64 3.64-1.28-1.28a1.21 1.21 0 0 0-1.72 0L2.36 18.64a1.21 1.21 0 0 0 0 1.72l1.28 1.28a1.2 1.2 0 0 0 1.72 0L21.64 5.36a1.2 1.2 0 0 0 0-1.72" />
  <path d="m14 7 3 3" />
  <path d="M5 6v4" />
  <path d="M19 14v4" />
  <path d="M10 2v2" />
  <path d="M7 8H3" />
  <path d="M21 16h-4" />
  <path d="M11 3H9" />
</svg>
`;var Dn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-webhook"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M18 16.98h-5.99c-1.1 0-1.95.94-2.48 1.9A4 4 0 0 1 2 17c.01-.7.2-1.4.57-2" />
  <path d="m6 17 3.13-5.78c.53-.97.1-2.18-.5-3.1a4 4 0 1 1 6.89-4.06" />
  <path d="m12 6 3.13 5.73C15.66 12.7 16.9 13 18 13a4 4 0 0 1 0 8" />
</svg>
`;var zn=`<!-- @license lucide-static v1.62.0 - ISC -->
<svg
  class="lucide lucide-x"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M18 6 6 18" />
  <path d="m6 6 12 12" />
</svg>
`;var fr=Symbol.for("pv"),mr=0;function e(t,n,o,r,a,i){n||(n={});var s,d,p=n;if("ref"in p&&typeof t!="function")for(d in p={},n)d=="ref"?s=n[d]:p[d]=n[d];var g={type:t,props:p,key:o,ref:s,__k:null,__:null,__b:0,__e:null,__c:null,constructor:fr,__v:--mr,__i:-1,__u:0};return(a||i)&&(g.__source=a,g.__self=i),P.vnode&&P.vnode(g),g}var vr={activity:nn,alert:on,arrowLeft:rn,arrowRight:sn,bell:an,check:ln,chevronRight:dn,circleAlert:cn,circleCheck:un,circleX:pn,copy:hn,external:gn,flask:fn,gauge:mn,info:vn,key:_n,link:bn,logOut:wn,menu:xn,minus:yn,moon:kn,plug:Cn,plus:Sn,refresh:Tn,scroll:En,search:Bn,settings:In,sun:Rn,trash:Pn,unplug:An,wand:Mn,webhook:Dn,x:zn};function O({name:t}){return e("span",{class:"icon","aria-hidden":"true",dangerouslySetInnerHTML:{__html:vr[t].replace(/<!--.*?-->\s*/s,"")}})}var ht=zt(null);function G(){let t=Jt(ht);if(!t)throw new Error("no session");return t}var _r=new Intl.NumberFormat("en-US"),br=new Intl.RelativeTimeFormat("en",{numeric:"auto"}),$n=new Intl.DateTimeFormat("en-GB",{dateStyle:"medium",timeStyle:"short"}),wr=[["day",86400],["hour",3600],["minute",60]];function ne(t){return _r.format(t)}function gt(t){return new Intl.NumberFormat("en-US",{style:"currency",currency:"USD",maximumFractionDigits:t<100?2:0}).format(t)}function he(t){return $n.format(new Date(t))}function _e(t,n=Date.now()){let o=(new Date(t).getTime()-n)/1e3;if(Math.abs(o)>30*86400)return $n.format(new Date(t));for(let[r,a]of wr)if(Math.abs(o)>=a)return br.format(Math.round(o/a),r);return o>0?"in a moment":"just now"}function be(t,n,o=`${n}s`){return`${ne(t)} ${t===1?n:o}`}var je={healthy:{word:"Connected",tone:"good"},connected:{word:"Connected",tone:"good"},failing:{word:"Refresh failing",tone:"warning"},degraded:{word:"Degraded",tone:"bad"},misconfigured:{word:"Credentials refused",tone:"bad"},handed_over:{word:"Handed over",tone:"quiet"},needs_reauthorization:{word:"Needs reauthorization",tone:"bad"},disconnected:{word:"Disconnected",tone:"quiet"}},Ue={own:"Own app",shared:"Shared credentials",simulator:"Simulated",organization:"Organization's app"},xr={"pipes.connected_account.connected":"Connected","pipes.connected_account.disconnected":"Disconnected","pipes.connected_account.reauthorization_needed":"Reauthorization needed","pipes.connected_account.connection_failed":"Connecting failed","pipes.connected_account.recovered":"Recovered","pipes.connected_account.degraded":"Degraded","pipes.connected_account.reauthorization_expected":"Will need reauthorization","provider.misconfigured":"Provider refuses our credentials"},yr={connected:"good",recovered:"good",disconnected:"quiet",reauthorization_expected:"warning",degraded:"warning"};function ge(t){let n=t.slice(t.lastIndexOf(".")+1).replaceAll("_"," ");return xr[t]??n.charAt(0).toUpperCase()+n.slice(1)}function He(t){return yr[t.slice(t.lastIndexOf(".")+1)]??"bad"}function qe(t){return t.startsWith("arn:")&&t.split(":").slice(5).join(":")||t}function Se(t){return t.charAt(0).toUpperCase()+t.slice(1)}function H(t,n){let[o,r]=f({data:null,error:null,loading:!0}),[a,i]=f(0);return N(()=>{let s=!0;return r(d=>({...d,error:null,loading:!0})),t().then(d=>s&&r({data:d,error:null,loading:!1}),d=>s&&r(p=>({...p,error:d,loading:!1}))),()=>{s=!1}},[n,a]),{...o,reload:Kt(()=>i(s=>s+1),[])}}function q(){let[t,n]=f(!1),[o,r]=f(null);return{busy:t,error:o,run:async i=>{n(!0),r(null);try{await i()}catch(s){r(s instanceof pe?s:new pe("Something went wrong in this page. Reload it.","page",0,{}))}finally{n(!1)}},clear:()=>r(null)}}function B({tone:t,children:n}){return e("span",{class:`badge ${t}`,children:n})}function b({icon:t,kind:n="plain",busy:o=!1,small:r=!1,children:a,...i}){return e("button",{type:"button",...i,class:`button ${n}${r?" small":""}`,disabled:!!i.disabled||o,"aria-busy":o,children:[o?e("span",{class:"spinner","aria-hidden":"true"}):t?e(O,{name:t}):null,a]})}function Re({icon:t,label:n,...o}){return e("button",{type:"button",...o,class:"icon-button","aria-label":n,title:n,children:e(O,{name:t})})}function le({text:t,label:n}){return e("span",{class:"copy",children:[e("code",{children:t}),e(ft,{text:t,label:n})]})}function ft({text:t,label:n}){let[o,r]=f(!1);return N(()=>{if(!o)return;let a=setTimeout(()=>r(!1),2e3);return()=>clearTimeout(a)},[o]),e("button",{type:"button",class:"button small",onClick:()=>{navigator.clipboard.writeText(t).then(()=>r(!0))},children:[e(O,{name:o?"check":"copy"}),e("span",{"aria-live":"polite",children:o?"Copied":"Copy"}),e("span",{class:"unseen",children:[" ",n]})]})}function M({tone:t,title:n,children:o}){let r={good:"circleCheck",bad:"circleAlert",warning:"alert",quiet:"info"};return e("div",{class:`notice ${t}`,role:t==="bad"?"alert":void 0,children:[e(O,{name:r[t]}),e("div",{children:[n?e("strong",{children:n}):null,o]})]})}function T({error:t,retry:n}){return e(M,{tone:"bad",title:"That did not work",children:[e("p",{children:t.message}),n?e(b,{icon:"refresh",onClick:n,children:"Try again"}):null]})}function Q({icon:t,title:n,children:o}){return e("div",{class:"empty",children:[e("span",{class:"empty-icon",children:e(O,{name:t})}),e("h2",{children:n}),o]})}function ee({rows:t=4}){return e("div",{class:"skeleton",role:"status",children:[e("span",{class:"unseen",children:"Loading …"}),Array.from({length:t},(n,o)=>e("span",{class:"bone"},o))]})}function K({from:t,rows:n,children:o}){return t.data!==null?e(_,{children:[t.error?e(T,{error:t.error,retry:t.reload}):null,o(t.data)]}):t.error?e(T,{error:t.error,retry:t.reload}):e(ee,{rows:n??4})}function j({at:t}){return e("time",{dateTime:t,title:he(t),children:_e(t)})}function V({title:t,text:n,children:o}){return e("header",{class:"head",children:[e("div",{children:[e("h1",{tabIndex:-1,children:t}),n?e("p",{children:n}):null]}),o?e("div",{class:"head-actions",children:o}):null]})}function D({title:t,aside:n,children:o,flush:r=!1}){return e("section",{class:r?"card flush":"card",children:[t?e("div",{class:"card-head",children:[e("h2",{children:t}),n]}):null,o]})}function S({label:t,hint:n,error:o,children:r}){let a=ut();return e("div",{class:"field",children:[e("label",{for:a,children:t}),r({id:a,"aria-describedby":`${a}-hint`,"aria-invalid":!!o}),e("p",{class:o?"hint bad":"hint",id:`${a}-hint`,children:o??n})]})}function We({label:t,checked:n,onChange:o,disabled:r=!1}){return e("label",{class:"switch",children:[e("input",{type:"checkbox",role:"switch",checked:n,disabled:r,onChange:a=>o(a.currentTarget.checked)}),e("span",{children:t})]})}function J({title:t,kind:n="box",onClose:o,children:r,footer:a}){let i=X(null),s=ut();return N(()=>{let d=document.activeElement;return i.current?.showModal(),i.current?.querySelector("[autofocus]")||i.current?.querySelector("h2")?.focus(),()=>d?.focus()},[]),e("dialog",{ref:i,class:n,"aria-labelledby":s,onCancel:d=>{d.preventDefault(),o()},onMouseDown:d=>d.target===i.current&&o(),children:e("div",{class:"dialog-inner",children:[e("header",{class:"dialog-head",children:[e("h2",{id:s,tabIndex:-1,children:t}),e(Re,{icon:"x",label:"Close",onClick:o})]}),e("div",{class:"dialog-body",children:r}),a?e("footer",{class:"dialog-foot",children:a}):null]})})}function ie({title:t,action:n,children:o,onConfirm:r,onClose:a}){let{busy:i,error:s,run:d}=q();return e(J,{title:t,onClose:a,footer:e(_,{children:[e(b,{onClick:a,children:"Cancel"}),e(b,{kind:"danger",busy:i,onClick:()=>{d(r)},children:n})]}),children:[o,s?e(T,{error:s}):null]})}function de({name:t,slug:n}){let o=G().icons[n??""],[r,a]=f(!1);if(o&&!r){let s=o.dark===o.light?[["both",o.light]]:Object.entries(o);return e("span",{class:"mark picture","aria-hidden":"true",children:s.map(([d,p])=>e("img",{class:d,src:p,alt:"",width:22,height:22,loading:"lazy",onError:()=>a(!0)},d))})}let i=[...t].reduce((s,d)=>(s*31+d.charCodeAt(0))%12,7);return e("span",{class:`mark hue-${i}`,"aria-hidden":"true",children:t.charAt(0).toUpperCase()})}var Nn=()=>{};function Z(t){Nn(t)}function On(){let[t,n]=f("");return N(()=>{Nn=n},[]),N(()=>{if(!t)return;let o=setTimeout(()=>n(""),5e3);return()=>clearTimeout(o)},[t]),e("div",{class:"toasts",role:"status",children:t?e("div",{class:"toast",children:[e(O,{name:"circleCheck"}),t]}):null})}function Ln(){let[t,n]=f([]),[o,r]=f(null),[a,i]=f(!0),[s,d]=f(null),p=async g=>{i(!0),d(null);try{let u=await R("/audit",{cursor:g});n(h=>g?[...h,...u.entries]:u.entries),r(u.cursor)}catch(u){d(u)}i(!1)};return N(()=>{p(null)},[]),e(_,{children:[e(V,{title:"Audit",text:"Every change an administrator made, here or by the API, under the identity it was made with."}),s?e(T,{error:s,retry:()=>{p(o)}}):null,e(D,{flush:!0,children:[t.length?e("div",{class:"table-wrap",children:e("table",{class:"stacks",children:[e("thead",{children:e("tr",{children:[e("th",{children:"What"}),e("th",{children:"Who"}),e("th",{children:"With"}),e("th",{children:"When"})]})}),e("tbody",{children:t.map(g=>e("tr",{children:[e("td",{class:"what",children:e("strong",{children:Se(g.action.replace(/[._]/g," ").replace(/^api /,"API "))})}),e("td",{"data-label":"Who",title:g.actor,children:qe(g.actor)}),e("td",{class:"with soft small-text",children:Object.entries(g.facts).filter(([,u])=>u!==null&&u!==!1).map(([u,h])=>`${u.replaceAll("_"," ")}: ${Array.isArray(h)?h.join(", "):String(h)}`).join(" · ")}),e("td",{"data-label":"When",class:"soft",children:e(j,{at:g.at})})]},g.id))})]})}):a?e(ee,{rows:6}):s?null:e(Q,{icon:"scroll",title:"No change in the last two weeks"}),o?e("div",{class:"more",children:e(b,{busy:a,onClick:()=>{p(o)},children:"Look further back"})}):null]})]})}var kr={revoked:"Disconnected. The provider ended the grant, and the tokens are forgotten.",unsupported:"Disconnected. The provider offers no way to end a grant; the tokens are forgotten here.",failed:"Disconnected here. The provider did not end the grant; it is tried again for days."};function Fn({reference:t}){let n=`/connections/${encodeURIComponent(t)}`,o=H(()=>R(n),t),{role:r}=G(),[a,i]=f(!1),[s,d]=f(null),p=q();return e(_,{children:[e("a",{class:"back",href:"/dashboard/connections",children:[e(O,{name:"arrowLeft"})," Connections"]}),e(K,{from:o,rows:9,children:g=>e(_,{children:[e(V,{title:`${g.provider} of ${g.user_id??g.organization_id??"nobody"}`,text:e("code",{children:g.id}),children:r==="administrator"&&g.state!=="disconnected"?e(_,{children:[g.state==="connected"&&g.refreshable&&!g.handed_over_at?e(b,{icon:"refresh",busy:p.busy,onClick:()=>{p.run(async()=>{d(null),d(await E("POST",`${n}/refresh`)),o.reload()})},children:"Refresh now"}):null,e(b,{kind:"danger",icon:"unplug",onClick:()=>i(!0),children:"Disconnect"})]}):null}),e("div",{class:"stack",children:[p.error?e(T,{error:p.error}):null,s?e(M,{tone:s.good?"good":"bad",title:s.good?"Refreshed":"Not refreshed",children:e("span",{children:[Se(s.outcome.replaceAll("_"," ")),s.provider_says?`. The provider says: ${s.provider_says}`:"","."]})}):null,g.reason_text?e(M,{tone:"warning",title:g.reason_text,children:g.last_error?e("span",{children:["The provider's word: ",g.last_error]}):null}):null,e(Cr,{data:g}),e(D,{title:"What happened",aside:e("span",{class:"soft small-text",children:"the last 30 days"}),children:e(Sr,{data:g})})]}),a?e(ie,{title:"Disconnect it?",action:"Disconnect",onClose:()=>i(!1),onConfirm:async()=>{let{revocation:u}=await E("POST",`${n}/disconnect`);i(!1),Z(kr[u]??"Disconnected."),o.reload()},children:e("p",{children:["The grant is ended at ",g.provider,", and its tokens are forgotten here. ",g.user_id??"The organization"," can connect again at any time; your application hears of it."]})}):null]})})]})}function Cr({data:t}){let n=je[t.health]??{word:t.health,tone:"quiet"},o=[["State",e(B,{tone:n.tone,children:n.word})],["Account there",t.display_name??t.external_name??"not told"],["User",t.user_id??"shared by the organization"],["Organization",t.organization_id??"none"],["Access token",t.state!=="connected"?"none":t.expires_at?e(_,{children:["ends ",_e(t.expires_at)]}):"does not expire"],["Next refresh",t.refresh_due_at?e(j,{at:t.refresh_due_at}):"not needed"],["Refreshed",t.refreshed_at?e(_,{children:[e(j,{at:t.refreshed_at})," (generation ",t.generation,")"]}):"never"],["Last fetched",t.last_used_at?e(j,{at:t.last_used_at}):"not yet"],["Connected",t.connected_at?e(j,{at:t.connected_at}):"never"],["Client",Ue[t.authority]??t.authority]];return t.reauthorization_expected_at&&o.push(["Has to connect again",e(j,{at:t.reauthorization_expected_at})]),t.failures&&o.push(["Failing",`${t.failures} in a row: ${t.last_error??"no answer"}`]),e(D,{children:e("dl",{class:"facts",children:[o.map(([r,a])=>e("div",{children:[e("dt",{children:r}),e("dd",{children:a})]},r)),t.scopes_granted.length?e("div",{class:"wide",children:[e("dt",{children:"Granted"}),e("dd",{class:"chips",children:t.scopes_granted.map(r=>e("code",{children:r},r))})]}):null,t.missing_scopes.length?e("div",{class:"wide",children:[e("dt",{children:"Asked for and not granted"}),e("dd",{class:"chips",children:t.missing_scopes.map(r=>e("code",{children:r},r))})]}):null]})})}function Sr({data:t}){let n=t.events.map(o=>{let r=typeof o.data.state_reason=="string"?`Why: ${o.data.state_reason.replaceAll("_"," ")}.`:"";return{at:o.created_at,tone:He(o.event),title:ge(o.event),text:[r,`Told as ${o.id}.`].filter(Boolean).join(" ")}});return t.refreshed_at&&t.refreshed_at!==t.connected_at&&n.push({at:t.refreshed_at,tone:"good",title:"Refreshed",text:`New tokens, generation ${t.generation}.`}),t.failing_since&&n.push({at:t.failing_since,tone:"warning",title:"Refreshing fails since then",text:`${t.last_error??"No answer"}. ${t.retry_at?`Tried again ${he(t.retry_at)}.`:""}`}),n.sort((o,r)=>r.at.localeCompare(o.at)),n.length?e("ol",{class:"timeline",children:n.map(o=>e("li",{children:[e("span",{class:`knot ${o.tone}`,"aria-hidden":"true"}),e("div",{children:[e("strong",{children:o.title}),e("p",{children:o.text})]}),e(j,{at:o.at})]},o.at+o.title))}):e("p",{class:"soft",children:"Nothing in this time."})}function jn(t){let[,n="",o=null]=t.pathname.replace(/^\/dashboard/,"").split("/");return{page:n||"overview",what:o?decodeURIComponent(o):null,query:new URLSearchParams(t.search)}}function ce(t,{replace:n=!1}={}){history[n?"replaceState":"pushState"](null,"",`/dashboard${t}`),dispatchEvent(new PopStateEvent("popstate"))}function Un(){let[t,n]=f(()=>jn(location));return N(()=>{let o=()=>n(jn(location));return addEventListener("popstate",o),()=>removeEventListener("popstate",o)},[]),t}function Hn(t){let n=t.target.closest("a");if(!n||t.defaultPrevented||t.button||t.metaKey||t.ctrlKey||t.shiftKey||n.target)return;let o=new URL(n.href);o.origin!==location.origin||!o.pathname.startsWith("/dashboard")||(t.preventDefault(),ce(o.pathname.replace(/^\/dashboard/,"")+o.search))}var Tr=25;function qn({query:t}){let n=Object.fromEntries(["user_id","organization_id","provider","state","id"].map(h=>[h,t.get(h)??""])),o=t.toString(),[r,a]=f(n),i=X(o);N(()=>{i.current!==o&&a(n),i.current=o},[o]);let d=H(()=>R("/providers"),"providers").data?.providers.filter(h=>h.registrations.length)??[],p=h=>{let c=Object.entries(h).filter(([,l])=>l.trim());ce(`/connections${c.length?`?${new URLSearchParams(c.map(([l,m])=>[l,m.trim()]))}`:""}`)},g=(h,c,l)=>e(S,{label:c,children:m=>e("input",{...m,value:r[h]??"",placeholder:l,spellcheck:!1,autocomplete:"off",onInput:k=>a({...r,[h]:k.currentTarget.value})})}),u=(h,c)=>{let l={...r,[h]:c};a(l),p(l)};return e(_,{children:[e(V,{title:"Connections",text:"Accounts that people connected. Tokens are never shown, here or anywhere in the dashboard."}),e("form",{class:"filters",role:"search",onSubmit:h=>{h.preventDefault(),p(r)},children:[g("user_id","User","user_…"),g("organization_id","Organization","org_…"),e(S,{label:"Provider",children:h=>e("select",{...h,value:r.provider,onChange:c=>u("provider",c.currentTarget.value),children:[e("option",{value:"",children:"All"}),d.map(c=>e("option",{value:c.slug,children:c.name},c.slug))]})}),e(S,{label:"State",children:h=>e("select",{...h,value:r.state,onChange:c=>u("state",c.currentTarget.value),children:[e("option",{value:"",children:"Any"}),e("option",{value:"connected",children:"Connected"}),e("option",{value:"needs_reauthorization",children:"Needs reauthorization"}),r.user_id||r.organization_id?e("option",{value:"disconnected",children:"Disconnected"}):null]})}),g("id","Connection id","data_installation_…"),e(b,{type:"submit",kind:"primary",icon:"search",children:"Search"}),o?e(b,{kind:"bare",onClick:()=>ce("/connections"),children:"Clear"}):null]}),e(Er,{asked:n},o)]})}function Er({asked:t}){let[n,o]=f([]),[r,a]=f(0),[i,s]=f(null),[d,p]=f("busy"),[g,u]=f(null),h=X(!1),c=X(!0),l=async k=>{h.current=!1,p("busy"),u(null);let y=k,C=0;try{do{let w=await R("/connections",{...t,cursor:y});if(!c.current)return;C+=w.connections.length,o(I=>[...I,...w.connections]),a(I=>I+w.looked_at),y=w.cursor,s(y)}while(y&&C<Tr&&!h.current)}catch(w){c.current&&u(w)}c.current&&p("idle")};N(()=>(l(null),()=>{c.current=!1}),[]);let m=d==="busy";return e(D,{flush:!0,children:[n.length?e("div",{class:"table-wrap",children:e("table",{class:"stacks",children:[e("thead",{children:e("tr",{children:[e("th",{children:"Provider"}),e("th",{children:"Owner"}),e("th",{children:"Account there"}),e("th",{children:"State"}),e("th",{children:"Refreshed"})]})}),e("tbody",{children:n.map(k=>e(Br,{connection:k},k.reference))})]})}):m?e(ee,{rows:6}):g?null:e(Q,{icon:"link",title:"No connection fits",children:e("p",{children:"Nothing like that is connected. A user within an organization is found with both."})}),g?e(T,{error:g,retry:()=>{l(i)}}):null,n.length||m&&r>100?e("div",{class:"more",role:"status",children:m?e(_,{children:[e("span",{class:"spinner","aria-hidden":"true"})," ",r>100?`Looked at ${ne(r)} …`:"Loading …",r>100?e(b,{onClick:()=>h.current=!0,children:"Stop"}):null]}):e(_,{children:[ne(n.length)," shown",i?e(b,{onClick:()=>{l(i)},children:"Show more"}):null]})}):null]})}function Br({connection:t}){let n=je[t.health]??{word:t.health,tone:"quiet"};return e("tr",{class:"goes",children:[e("td",{children:e("span",{class:"who",children:[e(de,{name:t.provider,slug:t.slug}),e("div",{children:[e("a",{class:"row-link",href:`/dashboard/connections/${t.reference}`,children:t.provider}),t.role==="standard"?e("small",{children:"one of several accounts"}):null]})]})}),e("td",{"data-label":"Owner",children:e(Ir,{connection:t})}),e("td",{"data-label":"Account there",children:t.display_name??t.external_name??e("span",{class:"soft",children:"not told"})}),e("td",{"data-label":"State",children:e(B,{tone:n.tone,children:n.word})}),e("td",{"data-label":"Refreshed",class:"soft",children:t.refreshed_at?e(j,{at:t.refreshed_at}):"never"})]})}function Ir({connection:t}){return e("span",{class:"who",children:e("div",{children:[t.user_id??e(_,{children:[e(O,{name:"link"})," ",t.organization_id]}),t.organization_id?e("small",{children:t.user_id?`in ${t.organization_id}`:"shared by the organization"}):null]})})}function Wn(){let{role:t}=G(),n=H(()=>R("/webhooks"),"webhooks"),[o,r]=f(!1),[a,i]=f(null),[s,d]=f(null),{error:p,run:g}=q(),u=(l,m)=>{g(async()=>{await l(),Z(m),n.reload()})},h=t==="administrator",c=h?e(b,{kind:"primary",icon:"plus",onClick:()=>r(!0),children:"Add an endpoint"}):null;return e("div",{class:"stack",children:[p?e(T,{error:p}):null,e(K,{from:n,children:l=>l.endpoints.length?e(_,{children:[e("div",{class:"head-actions",children:c}),l.endpoints.map(m=>e(D,{title:m.url,aside:e(Rr,{endpoint:m}),children:e("div",{class:"stack",children:[e("p",{class:"soft small-text",children:[m.events.length===l.types.length?"Every event":m.events.map(ge).join(", "),m.organization_id?` of ${m.organization_id}`:""," · signed with a secret that ends in ",m.secret_last_four||"…"]}),m.failing_since?e(M,{tone:"warning",children:e("span",{children:["Calls fail since ",e(j,{at:m.failing_since}),". They are repeated for days, then the endpoint is paused."]})}):null,m.missed_since?e(M,{tone:"warning",children:e("span",{children:["It missed events since ",e(j,{at:m.missed_since}),". ",m.status==="enabled"?"Send them again when it is ready.":"Enable it, then send them again."]})}):null,e("div",{class:"head-actions",children:[e(b,{onClick:()=>i(m),children:"Deliveries"}),h?e(_,{children:[m.status==="enabled"?e(b,{onClick:()=>u(()=>E("PUT",`/webhooks/${m.id}`,{status:"disabled"}),"Paused"),children:"Pause"}):e(b,{onClick:()=>u(()=>E("PUT",`/webhooks/${m.id}`,{status:"enabled"}),"Enabled"),children:"Enable"}),m.missed_since&&m.status==="enabled"?e(b,{icon:"refresh",onClick:()=>u(()=>E("POST",`/webhooks/${m.id}/replay`),"They are on their way"),children:"Send what it missed"}):null,e(b,{kind:"danger",icon:"trash",onClick:()=>d(m),children:"Delete"})]}):null]})]})},m.id))]}):e(D,{children:e(Q,{icon:"webhook",title:"No webhook endpoint yet",children:[e("p",{children:"Events go to the SNS topic in any case. An endpoint gets them over HTTPS as well, signed, and repeated until it answers."}),c]})})}),o&&n.data?e(Pr,{types:n.data.types,onClose:()=>{r(!1),n.reload()}}):null,a?e(Ar,{endpoint:a,onClose:()=>i(null)}):null,s?e(ie,{title:"Delete this endpoint?",action:"Delete",onClose:()=>d(null),onConfirm:async()=>{await E("DELETE",`/webhooks/${s.id}`),d(null),n.reload(),Z("Deleted")},children:e("p",{children:["Nothing more is sent to ",e("code",{children:s.url}),", and what waits for it is dropped."]})}):null]})}function Rr({endpoint:t}){return t.status==="disabled"?e(B,{tone:t.reason?"bad":"quiet",children:t.reason==="gone"?"Gone (410)":t.reason?"Paused: it kept failing":"Paused"}):t.failing_since?e(B,{tone:"warning",children:"Failing"}):e(B,{tone:"good",children:"Enabled"})}function Pr({types:t,onClose:n}){let[o,r]=f(""),[a,i]=f(t),[s,d]=f(null),{busy:p,error:g,run:u}=q();return s?e(J,{title:"Endpoint added",onClose:n,footer:e(b,{kind:"primary",onClick:n,children:"I have stored it"}),children:[e(M,{tone:"warning",title:"This is the only time the secret is shown",children:e("span",{children:"Your server checks the signature of each call with it."})}),e(le,{text:s,label:"the secret"})]}):e(J,{title:"Add a webhook endpoint",onClose:n,children:e("form",{class:"form",onSubmit:h=>{h.preventDefault(),u(async()=>d((await E("POST","/webhooks",{url:o,events:a})).secret))},children:[e(S,{label:"Address",hint:"https, and reachable from the internet.",children:h=>e("input",{...h,type:"url",required:!0,placeholder:"https://",value:o,autofocus:!0,onInput:c=>r(c.currentTarget.value.trim())})}),e("fieldset",{children:[e("legend",{class:"legend",children:"Events"}),e("div",{class:"scopes",children:t.map(h=>e("label",{class:"scope",children:[e("input",{type:"checkbox",checked:a.includes(h),onChange:c=>i(t.filter(l=>l===h?c.currentTarget.checked:a.includes(l)))}),e("span",{children:[ge(h),e("code",{children:h})]})]},h))})]}),g?e(T,{error:g}):null,e("div",{class:"head-actions",children:e(b,{type:"submit",kind:"primary",busy:p,disabled:!a.length,children:"Add it"})})]})})}function Ar({endpoint:t,onClose:n}){let[o,r]=f([]),[a,i]=f(null),[s,d]=f(!0),[p,g]=f(null),u=async h=>{d(!0),g(null);try{let c=await R(`/webhooks/${t.id}/deliveries`,{cursor:h});r(l=>[...l,...c.deliveries]),i(c.cursor)}catch(c){g(c)}d(!1)};return N(()=>{u(null)},[]),e(J,{kind:"drawer",title:"Deliveries",onClose:n,children:[e("p",{class:"soft small-text",children:["Calls of ",e("code",{children:t.url}),", newest first."]}),p?e(T,{error:p,retry:()=>{u(a)}}):null,o.length?e("ol",{class:"timeline",children:o.map(h=>e("li",{children:[e("span",{class:`knot ${h.outcome==="delivered"?"good":h.outcome==="failed"?"warning":"bad"}`,"aria-hidden":"true"}),e("div",{children:[e("strong",{children:ge(h.event)}),e("p",{children:[h.outcome.replaceAll("_"," ")," · ",h.status??h.error??"no answer"," · ",be(h.milliseconds,"ms","ms")," · try ",h.attempt,h.next_at?e(_,{children:[" · next ",e(j,{at:h.next_at})]}):null]})]}),e(j,{at:h.at})]},h.id))}):s?e(ee,{}):p?null:e(Q,{icon:"webhook",title:"Nothing was sent yet"}),a?e(b,{busy:s,onClick:()=>{u(a)},children:"Show older ones"}):null]})}function Vn({what:t,query:n}){let o=t==="webhooks";return e(_,{children:[e(V,{title:"Events",text:"What your application is told, at least once each and for thirty days."}),e("div",{class:"filters",children:e("div",{class:"segments",role:"group","aria-label":"What is shown",children:[e("button",{type:"button","aria-pressed":!o,onClick:()=>ce("/events"),children:"Log"}),e("button",{type:"button","aria-pressed":o,onClick:()=>ce("/events/webhooks"),children:"Webhooks"})]})}),o?e(Wn,{}):e(Mr,{type:n.get("type")??""},n.toString())]})}function Mr({type:t}){let[n,o]=f([]),[r,a]=f(null),[i,s]=f(!0),[d,p]=f(null),[g,u]=f(null),h=async c=>{s(!0),p(null);try{let l=await R("/events",{type:t,cursor:c});a(l),o(m=>c?[...m,...l.events]:l.events)}catch(l){p(l)}s(!1)};return N(()=>{h(null)},[]),e("div",{class:"stack",children:[e("div",{class:"filters",children:[e(S,{label:"Type",children:c=>e("select",{...c,value:t,onChange:l=>ce(l.currentTarget.value?`/events?type=${l.currentTarget.value}`:"/events"),children:[e("option",{value:"",children:"All"}),(r?.types??[]).map(l=>e("option",{value:l,children:ge(l)},l))]})}),e(b,{icon:"refresh",onClick:()=>{h(null)},children:"Look again"})]}),d?e(T,{error:d,retry:()=>{h(null)}}):null,e(D,{flush:!0,children:[n.length?e("div",{class:"table-wrap",children:e("table",{class:"stacks",children:[e("thead",{children:e("tr",{children:[e("th",{children:"Event"}),e("th",{children:"Of"}),e("th",{children:"When"}),e("th",{children:e("span",{class:"unseen",children:"Details"})})]})}),e("tbody",{children:n.map(c=>e(Dr,{event:c,onReplay:()=>u(c)},c.id))})]})}):i?e(ee,{rows:6}):e(Q,{icon:"activity",title:"Nothing happened yet",children:e("p",{children:"As soon as somebody connects, it is written here and told to your application."})}),r?.cursor?e("div",{class:"more",children:e(b,{busy:i,onClick:()=>{h(r.cursor)},children:"Show older ones"})}):null]}),r?e(D,{title:"The SNS topic",children:[e("p",{class:"soft small-text",children:"Every event is published here. Subscribe a queue, a function or an address of yours; filters may name the event, the provider and the organization."}),e(le,{text:r.topic_arn,label:"the topic's ARN"})]}):null,g?e(zr,{event:g,onClose:()=>u(null)}):null]})}function Dr({event:t,onReplay:n}){let[o,r]=f(!1),{role:a}=G(),i=t.data.user_id??t.data.organization_id??t.subject;return e(_,{children:[e("tr",{children:[e("td",{children:e(B,{tone:He(t.event),children:ge(t.event)})}),e("td",{"data-label":"Of",children:e("span",{class:"who",children:e("div",{children:[i,e("small",{children:String(t.data.provider_slug??"")})]})})}),e("td",{"data-label":"When",class:"soft",children:e(j,{at:t.created_at})}),e("td",{class:"right",children:e(b,{kind:"bare",small:!0,"aria-expanded":o,onClick:()=>r(!o),children:o?"Hide":"Details"})})]}),o?e("tr",{children:e("td",{colSpan:4,children:e("div",{class:"stack",children:[e("pre",{class:"json",tabIndex:0,children:JSON.stringify({id:t.id,event:t.event,created_at:t.created_at,data:t.data},null,2)}),a==="administrator"?e("div",{class:"head-actions",children:e(b,{icon:"refresh",onClick:n,children:"Send everything after this again"})}):null]})})}):null]})}function zr({event:t,onClose:n}){let o=H(()=>R("/webhooks"),"webhooks"),[r,a]=f(""),{busy:i,error:s,run:d}=q();return e(J,{title:"Send again",onClose:n,children:e(K,{from:o,children:p=>{let g=p.endpoints.filter(h=>h.status==="enabled"),u=r||g[0]?.id;return g.length&&u?e("div",{class:"form",children:[e("p",{children:["Everything that was told after ",e("code",{children:t.id})," is sent once more, in order, under the same ids."]}),e(S,{label:"To",children:h=>e("select",{...h,value:u,onChange:c=>a(c.currentTarget.value),children:g.map(c=>e("option",{value:c.id,children:c.url},c.id))})}),s?e(T,{error:s}):null,e(b,{kind:"primary",busy:i,onClick:()=>{d(async()=>{await E("POST",`/webhooks/${u}/replay`,{after:t.id}),Z("They are on their way"),n()})},children:"Send again"})]}):e(M,{tone:"quiet",title:"There is no webhook endpoint to send to",children:e("span",{children:[e(O,{name:"webhook"})," Subscribers of the SNS topic read what they missed from GET /events."]})})}})})}function Gn(){let{role:t}=G(),n=H(()=>R("/keys"),"keys"),[o,r]=f(!1),[a,i]=f(null),s=t==="administrator"?e(b,{kind:"primary",icon:"plus",onClick:()=>r(!0),children:"Make a key"}):null;return e(_,{children:[e(V,{title:"API keys",text:"What your backend authenticates with. Several may live at once, which is how one is replaced without a gap.",children:s}),e(K,{from:n,children:({keys:d})=>e(D,{flush:!0,children:d.length?e("div",{class:"table-wrap",children:e("table",{class:"stacks",children:[e("thead",{children:e("tr",{children:[e("th",{children:"Name"}),e("th",{children:"Reaches"}),e("th",{children:"Made"}),e("th",{children:"Last used"}),e("th",{children:"State"}),e("th",{children:e("span",{class:"unseen",children:"Actions"})})]})}),e("tbody",{children:d.map(p=>e("tr",{children:[e("td",{children:e("span",{class:"who",children:e("div",{children:[e("strong",{children:p.name}),e("small",{children:e("code",{children:["sk_",p.id,"_…"]})})]})})}),e("td",{"data-label":"Reaches",children:p.organization_id?e(_,{children:["only ",p.organization_id]}):"everything"}),e("td",{"data-label":"Made",class:"soft",children:e(j,{at:p.created_at})}),e("td",{"data-label":"Last used",class:"soft",children:p.last_used_at?e($r,{at:p.last_used_at}):"never"}),e("td",{"data-label":"State",children:p.revoked_at?e(B,{tone:"quiet",children:"Revoked"}):e(B,{tone:"good",children:"Live"})}),e("td",{class:"right",children:p.revoked_at||t!=="administrator"?null:e(b,{kind:"danger",small:!0,onClick:()=>i(p),"aria-label":`Revoke ${p.name}`,children:"Revoke"})})]},p.id))})]})}):e(Q,{icon:"key",title:"No key yet",children:[e("p",{children:"Your backend needs one to fetch tokens."}),s]})})}),o?e(Nr,{onClose:()=>{r(!1),n.reload()}}):null,a?e(ie,{title:`Revoke “${a.name}”?`,action:"Revoke",onClose:()=>i(null),onConfirm:async()=>{await E("DELETE",`/keys/${a.id}`),i(null),n.reload(),Z("Revoked. It stops working within half a minute.")},children:e("p",{children:"Whoever uses it gets nothing more, within half a minute. This cannot be undone."})}):null]})}function $r({at:t}){return e("time",{dateTime:t,children:Date.now()-Date.parse(t)<864e5?"in the last day":_e(t)})}function Nr({onClose:t}){let[n,o]=f(""),[r,a]=f(""),[i,s]=f(null),{busy:d,error:p,run:g}=q();return i?e(J,{title:"Your new key",onClose:t,footer:e(b,{kind:"primary",onClick:t,children:"I have stored it"}),children:[e(M,{tone:"warning",title:"This is the only time the key is shown",children:e("span",{children:"Only a hash of it is kept. Put it where your backend reads its secrets."})}),e(le,{text:i,label:"the key"})]}):e(J,{title:"Make an API key",onClose:t,children:e("form",{class:"form",onSubmit:u=>{u.preventDefault(),g(async()=>s((await E("POST","/keys",{name:n,organization_id:r.trim()||null})).key))},children:[e(S,{label:"Name",hint:"Which service will use it.",children:u=>e("input",{...u,required:!0,maxLength:100,value:n,autofocus:!0,onInput:h=>o(h.currentTarget.value)})}),e(S,{label:"Only for one organization",hint:"Optional. The key then reaches what belongs to this organization and nothing else.",children:u=>e("input",{...u,maxLength:255,placeholder:"org_…",spellcheck:!1,value:r,onInput:h=>a(h.currentTarget.value)})}),p?e(T,{error:p}):null,e("div",{class:"head-actions",children:e(b,{type:"submit",kind:"primary",busy:d,children:"Make it"})})]})})}var we=["refreshed","failed","misconfigured","ended"],Ge={refreshed:"Refreshed",failed:"Failed, tried again",misconfigured:"Our credentials refused",ended:"Ended by the provider"},Ve=180,Kn=22,Te=44;function Ke(t){return we.reduce((n,o)=>n+(t.counts[o]??0),0)}function Or(t){let n=10**Math.floor(Math.log10(Math.max(1,t)));return[1,2,5,10].map(o=>o*n).find(o=>o>=t)??t}function Jn({bars:t,label:n,unit:o}){let r=X(null),[a,i]=f(720);Vt(()=>{let c=new ResizeObserver(([l])=>l&&i(Math.max(240,Math.round(l.contentRect.width))));return r.current&&c.observe(r.current),()=>c.disconnect()},[]);let s=Or(Math.max(1,...t.map(Ke))),d=(a-Te)/t.length,p=(Ve-Kn-8)/s,g=Ve-Kn,u=Math.ceil(t.length/(a<480?4:8)),h=c=>new Intl.DateTimeFormat("en-GB",o==="hour"?{hour:"2-digit",minute:"2-digit"}:{day:"numeric",month:"short"}).format(new Date(c));return e(_,{children:[e("svg",{ref:r,class:"chart",viewBox:`0 0 ${a} ${Ve}`,role:"img","aria-label":n,children:[[0,.5,1].map(c=>e("g",{children:[e("line",{class:"axis",x1:Te,x2:a,y1:g-c*s*p,y2:g-c*s*p}),c*s===Math.floor(c*s)?e("text",{x:Te-8,y:g-c*s*p+4,"text-anchor":"end",children:ne(c*s)}):null]},c)),t.map((c,l)=>{let m=g;return e("g",{children:[e("title",{children:`${he(c.at)}: ${we.filter(k=>c.counts[k]).map(k=>`${Ge[k]} ${ne(c.counts[k]??0)}`).join(", ")||"nothing was due"}`}),e("rect",{class:"hit",x:Te+l*d,y:8,width:d,height:g-8}),we.map(k=>{let y=(c.counts[k]??0)*p;return m-=y,y?e("rect",{class:k,x:Te+l*d+d*.14,y:m,width:d*.72,height:y,rx:Math.min(2,d/6)},k):null}),l%u===0?e("text",{x:Te+l*d+d/2,y:Ve-5,"text-anchor":"middle",children:h(c.at)}):null]},c.at)})]}),e("div",{class:"unseen",children:e("table",{children:[e("caption",{children:n}),e("thead",{children:e("tr",{children:[e("th",{children:o==="hour"?"Hour":"Day"}),we.map(c=>e("th",{children:Ge[c]},c))]})}),e("tbody",{children:t.filter(c=>Ke(c)).map(c=>e("tr",{children:[e("td",{children:he(c.at)}),we.map(l=>e("td",{children:c.counts[l]??0},l))]},c.at))})]})})]})}var Lr={bad:"bad",warning:"warning",note:"quiet"};function Xn(){let t=H(()=>R("/overview"),"overview");return e(_,{children:[e(V,{title:"Overview",text:"Every connection of this stage, and how it is kept alive."}),e(K,{from:t,rows:10,children:n=>e(Fr,{data:n})})]})}function Fr({data:t}){let n=Object.values(t.connections.counts),o=(...i)=>n.reduce((s,d)=>s+i.reduce((p,g)=>p+(d[g]??0),0),0),r=o("failing","misconfigured"),a=t.connections.as_of;return e(_,{children:[t.connections.whole?null:e("div",{class:"stack",children:e(M,{tone:"quiet",title:"The first count is under way",children:e("p",{children:"A stage of this size is counted once a day by the pass that looks at every row. Its first one is not through yet."})})}),e("div",{class:"stats",children:[e(Je,{word:"Connected",value:o("connected"),note:a?e(_,{children:["counted ",e(j,{at:a})]}):`${be(n.length,"provider")}`,href:"/dashboard/connections?state=connected"}),e(Je,{word:"Need reauthorization",value:o("needs_reauthorization"),tone:o("needs_reauthorization")?"bad":"",note:"a person has to connect again",href:"/dashboard/connections?state=needs_reauthorization"}),e(Je,{word:"Refresh failing",value:r,tone:r?"warning":"",note:"tried again by the clock"}),e(Je,{word:"Idle",value:o("idle"),note:"kept alive, not fetched"})]}),e("div",{class:"columns",children:[e("div",{class:"stack",children:[e(jr,{hours:t.refreshes}),e(Ur,{data:t})]}),e("div",{class:"stack",children:[e(D,{title:"Needs attention",children:t.attention.length?e("ul",{class:"todo",children:t.attention.map(i=>e("li",{children:e(M,{tone:Lr[i.severity]??"quiet",children:[e("strong",{children:i.text}),e("span",{children:i.todo}),i.page?e("a",{href:`/dashboard/${i.page}${i.slug&&i.page==="providers"?`/${i.slug}`:""}`,children:"Go there"}):null]})},i.text))}):e(M,{tone:"good",title:"All is well",children:e("span",{children:"Nothing asks for you."})})}),e(D,{title:"Cost of the month",children:[e("p",{class:"big",children:gt(t.cost.total)}),e("p",{class:"soft small-text",children:["An estimate at AWS's list prices for ",be(o("connected","needs_reauthorization"),"connection"),"."]}),e("dl",{class:"costs",children:t.cost.parts.map(i=>e("div",{children:[e("dt",{children:i.what}),e("dd",{children:gt(i.dollars)})]},i.what))}),e("details",{class:"quiet",children:[e("summary",{children:"What is assumed"}),e("ul",{children:t.cost.assumed.map(i=>e("li",{children:i},i))})]})]})]})]})]})}function Je({word:t,value:n,note:o,tone:r="",href:a}){let i=e(_,{children:[e("span",{children:t}),e("strong",{children:ne(n)}),e("small",{children:o})]});return a?e("a",{class:`stat ${r}`,href:a,children:i}):e("div",{class:`stat ${r}`,children:i})}function Yn(t){let n={};for(let o of t)for(let r of Object.values(o.providers))for(let a of we)r[a]&&(n[a]=(n[a]??0)+r[a]);return n}function jr({hours:t}){let[n,o]=f("hour"),r=[];if(n==="hour")for(let i of t.slice(-24))r.push({at:i.at,counts:Yn([i])});else for(let i=t.length;i>0;i-=24)r.unshift({at:t[Math.max(0,i-24)].at,counts:Yn(t.slice(Math.max(0,i-24),i))});let a=r.reduce((i,s)=>i+Ke(s),0);return e(D,{title:"Refreshes by the clock",aside:e("div",{class:"segments",role:"group","aria-label":"Time shown",children:[e("button",{type:"button","aria-pressed":n==="hour",onClick:()=>o("hour"),children:"24 hours"}),e("button",{type:"button","aria-pressed":n==="day",onClick:()=>o("day"),children:"7 days"})]}),children:[e(Jn,{bars:r,unit:n,label:`Refreshes in the last ${n==="hour"?"24 hours, by the hour":"7 days, by the day"}: ${be(a,"connection")}`}),e("ul",{class:"legend-row",children:we.map(i=>e("li",{children:[e("span",{class:`dot ${i}`,"aria-hidden":"true"}),Ge[i]," ",e("strong",{class:"number",children:ne(r.reduce((s,d)=>s+(d.counts[i]??0),0))})]},i))}),a===0?e("p",{class:"soft small-text",children:"Nothing was due in this time. Tokens that a fetch renewed are not counted here."}):null]})}function Ur({data:t}){let n=Object.entries(t.connections.counts).map(([o,r])=>({slug:o,name:t.names[o]??o,good:(r.connected??0)-(r.failing??0)-(r.misconfigured??0),warn:(r.failing??0)+(r.misconfigured??0),bad:r.needs_reauthorization??0})).sort((o,r)=>r.good+r.warn+r.bad-o.good-o.warn-o.bad);return e(D,{title:"Connections by provider",flush:!0,children:n.length?e("div",{class:"table-wrap",children:e("table",{children:[e("thead",{children:e("tr",{children:[e("th",{children:"Provider"}),e("th",{children:"Health"}),e("th",{class:"right",children:"Connected"}),e("th",{class:"right",children:"To reauthorize"})]})}),e("tbody",{children:n.map(o=>{let r=Math.max(1,o.good+o.warn+o.bad);return e("tr",{class:"goes",children:[e("td",{children:e("span",{class:"who",children:[e(de,{name:o.name,slug:o.slug}),e("a",{class:"row-link",href:`/dashboard/connections?provider=${encodeURIComponent(o.slug)}`,children:o.name})]})}),e("td",{children:e("div",{class:"meter",role:"img","aria-label":`${o.good} healthy, ${o.warn} failing, ${o.bad} to reauthorize`,children:e("svg",{viewBox:"0 0 100 8",preserveAspectRatio:"none","aria-hidden":"true",children:[e("rect",{class:"good",width:100*o.good/r,height:"8"}),e("rect",{class:"warn",x:100*o.good/r,width:100*o.warn/r,height:"8"}),e("rect",{class:"bad",x:100*(o.good+o.warn)/r,width:100*o.bad/r,height:"8"})]})})}),e("td",{class:"right number",children:ne(o.good+o.warn)}),e("td",{class:"right number",children:ne(o.bad)})]},o.slug)})})]})}):e("p",{class:"empty",children:"Nobody is connected yet."})})}var Hr=["connect","refresh","revoke"],qr={connect:"Allow access at the provider.",refresh:"Use the refresh token once.",revoke:"End the grant and forget the tokens."},Wr={passed:"circleCheck",failed:"circleX",skipped:"minus",ahead:"minus"},Vr=1200;function Qn({data:t,unsaved:n}){let o=`/providers/${encodeURIComponent(t.slug)}/trial`,[r,a]=f([]),[i,s]=f(null),[d,p]=f(null),[g,u]=f({}),{busy:h,error:c,run:l}=q(),m=X(!0);N(()=>()=>{m.current=!1},[]);let k=async()=>{for(;;){let{steps:v}=await R(o);if(!m.current)return;if(a(v),v[0]?.verdict!=="waiting")break;if(await new Promise(z=>setTimeout(z,Vr)),!m.current)return}s(null);for(let v of["refresh","revoke"]){if((await R(o)).steps[0]?.verdict!=="passed")return;p(v),a((await E("POST",`${o}/${v}`)).steps),p(null)}},y=()=>{let v=window.open("about:blank","_blank","width=520,height=720");l(async()=>{try{let z=await E("POST",o,{config:g});a(z.steps),s(z.url),v&&(v.opener=null,v.location.href=z.url)}catch(z){throw v?.close(),z}try{await k()}finally{p(null)}})},C=t.config_fields.filter(v=>!t.config[v.name]&&!v.default),w=r.find(v=>v.verdict==="failed"),I=r.length===3||w;return e(_,{children:[e("p",{class:"soft small-text",children:["Connects, refreshes and revokes a throwaway connection, so that no user is the first to find out. People need not be able to connect it yet. Your application hears of it as the user ",e("code",{children:"standpipe-trial"}),"."]}),C.length?e("div",{class:"form",children:C.map(v=>e(S,{label:v.label,hint:v.example?`For example ${v.example}.`:v.description,children:z=>e("input",{...z,value:g[v.name]??"",onInput:L=>u({...g,[v.name]:L.currentTarget.value.trim()})})},v.name))}):null,r.length?e("ol",{class:"trial","aria-live":"polite",children:Hr.map((v,z)=>{let L=r[z],oe=d===v||L?.verdict==="waiting",W=L?.verdict??"ahead";return e("li",{class:W,children:[oe?e("span",{class:"spinner","aria-hidden":"true"}):e(O,{name:Wr[W]??"minus"}),e("div",{children:[e("strong",{children:v}),e("p",{children:L?.text??(d===v?"Asking the provider …":qr[v])})]}),e("span",{class:"soft small-text number",children:L?.milliseconds!==void 0?`${L.milliseconds} ms`:L&&!oe?L.verdict:""})]},v)})}):null,c?e(T,{error:c}):null,I&&!h?w?e(M,{tone:"bad",title:"It does not work yet"}):e(M,{tone:"good",title:`${t.name} works`,children:e("span",{children:"The throwaway connection is gone again."})}):null,e("div",{class:"head-actions",children:[e(b,{icon:"flask",busy:h,disabled:n||!t.credentials,onClick:y,children:r.length&&I?"Test again":"Test this provider"}),i?e("a",{class:"button",href:i,target:"_blank",rel:"noreferrer noopener",children:"Open the window again"}):null]}),n||!t.credentials?e("p",{class:"hint",children:n?"Save first: a trial uses what is stored.":"Enter its client id and secret, and save, to try it."}):null]})}var Gr=[["authorization_url","Authorization endpoint","Where people are sent to allow access."],["token_url","Token endpoint","Where codes and refresh tokens are exchanged."],["revocation_url","Revocation endpoint","Optional. Ends a grant at the provider (RFC 7009)."],["userinfo_url","Userinfo endpoint","Optional. Tells whose account it is."],["issuer","Issuer","Optional. Checked against what the provider says it is (RFC 9207)."]];function mt({value:t,onChange:n,errors:o,disabled:r=!1}){return e("div",{class:"form",children:[Gr.map(([a,i,s])=>e(S,{label:i,hint:s,error:o[`custom_provider.${a}`]?"This is not an address it may have.":void 0,children:d=>e("input",{...d,type:"url",inputMode:"url",spellcheck:!1,disabled:r,value:t[a]??"",placeholder:"https://",onInput:p=>n({...t,[a]:p.currentTarget.value.trim()||null})})},a)),e(S,{label:"The client secret is sent",hint:"Most providers take either.",children:a=>e("select",{...a,disabled:r,value:t.authenticate_via??"request_body",onChange:i=>n({...t,authenticate_via:i.currentTarget.value}),children:[e("option",{value:"request_body",children:"in the body"}),e("option",{value:"basic_auth_header",children:"in the Authorization header (Basic)"})]})}),e(We,{label:"PKCE",checked:t.pkce_enabled??!0,disabled:r,onChange:a=>n({...t,pkce_enabled:a})})]})}function Zn(t){return t.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g,"-").replace(/^-+|-+$/g,"").slice(0,63)}function eo({onClose:t,onMade:n}){let[o,r]=f("find"),[a,i]=f(""),[s,d]=f(null),[p,g]=f(""),[u,h]=f(""),[c,l]=f({pkce_enabled:!0,authenticate_via:"request_body"}),[m,k]=f(""),[y,C]=f(""),[w,I]=f(""),v=q(),z=q(),L=u||Zn(p),oe=()=>v.run(async()=>{let A=await E("POST","/discovery",{issuer:a});d(A),l({...c,...A.fields}),I(A.scopes.filter($=>["openid","profile","email","offline_access"].includes($)).join(" ")),p||g(new URL(a).hostname.replace(/^(www|login|auth|accounts|id|sso)\./,"")),r("check")}),W=()=>z.run(async()=>{let A=w.split(/\s+/).filter(Boolean);await E("PUT",`/providers/${encodeURIComponent(L)}`,{custom_provider:{...c,name:p},...A.length?{scopes:A}:{},...m?{credentials:{type:"custom",client_id:m.trim(),...y?{client_secret:y}:{}}}:{}}),n(L)});return o==="find"?e(J,{title:"Add a custom provider",onClose:t,children:[e("p",{class:"soft",children:"Most OAuth 2.0 and OpenID Connect providers publish their addresses. Give the address of theirs, and the rest is looked up."}),e("form",{class:"form",onSubmit:A=>{A.preventDefault(),oe()},children:[e(S,{label:"Address of the authorization server",hint:"Its issuer, for example https://login.example.com",children:A=>e("input",{...A,type:"url",required:!0,inputMode:"url",placeholder:"https://",value:a,autofocus:!0,onInput:$=>i($.currentTarget.value.trim())})}),v.error?e(T,{error:v.error}):null,e("div",{class:"head-actions",children:[e(b,{type:"submit",kind:"primary",icon:"search",busy:v.busy,children:"Look it up"}),e(b,{onClick:()=>r("check"),children:"Enter everything by hand"})]})]})]}):e(J,{kind:"drawer",title:"Add a custom provider",onClose:t,footer:e(_,{children:[e("span",{class:"left",children:e(b,{icon:"arrowLeft",onClick:()=>r("find"),children:"Back"})}),e(b,{kind:"primary",busy:z.busy,disabled:!L||!c.authorization_url||!c.token_url,onClick:()=>{W()},children:"Add it"})]}),children:[s?e(M,{tone:"good",title:"Found",children:e("span",{children:s.found_at})}):null,s?.notes.map(A=>e(M,{tone:"warning",children:A},A)),z.error?e(T,{error:z.error}):null,e("div",{class:"form",children:[e("div",{class:"pair",children:[e(S,{label:"Name",hint:"What people see.",children:A=>e("input",{...A,required:!0,maxLength:100,value:p,onInput:$=>g($.currentTarget.value)})}),e(S,{label:"Short name",hint:"What your application calls it.",children:A=>e("input",{...A,pattern:"[a-z0-9][a-z0-9\\-]*",spellcheck:!1,value:L,onInput:$=>h(Zn($.currentTarget.value))})})]}),e(mt,{value:c,onChange:l,errors:z.error?.fields??{}}),e("div",{class:"pair",children:[e(S,{label:"Client ID",hint:"May be entered later, with the redirect URI at hand.",children:A=>e("input",{...A,autocomplete:"off",spellcheck:!1,value:m,onInput:$=>k($.currentTarget.value)})}),e(S,{label:"Client secret",hint:"Sealed as soon as it arrives.",children:A=>e("input",{...A,type:"password",autocomplete:"new-password",value:y,onInput:$=>C($.currentTarget.value)})})]}),e(S,{label:"Scopes",hint:s?.scopes.length?`It offers ${s.scopes.slice(0,12).join(", ")}${s.scopes.length>12?" …":""}.`:"With spaces between.",children:A=>e("input",{...A,spellcheck:!1,value:w,onInput:$=>I($.currentTarget.value)})})]})]})}var to={oauth:["Sign-in at the provider","OAuth: people allow access in their browser."],api_key:["API key","People paste a key they made at the provider."],client_credentials:["Client credentials","People enter a client id and secret of their own."]};function no({slug:t,name:n,known:o,onChanged:r,onClose:a}){let i=G(),[s,d]=f(o?.length===1&&o[0]==="organization"?"organization":"userland_user"),p=o?.includes(s)??null,g=`/providers/${encodeURIComponent(t)}`,u=H(async()=>{if(o===null)return null;let h=i.role==="administrator";if(p||!h)return R(g,{ownership:s});let c=await E("POST",g+Fe({ownership:s}));return r(),c},`${t} ${s} ${o!==null}`);return!u.data||u.data.ownership!==s?e(J,{kind:"drawer",title:n,onClose:a,children:u.error?u.error.status===404&&i.role==="viewer"?e(M,{tone:"quiet",title:"Not set up yet"}):e(T,{error:u.error,retry:u.reload}):e(ee,{rows:9})}):e(Kr,{given:u.data,setOwnership:d,onChanged:r,onClose:a},u.data.id)}function Kr({given:t,setOwnership:n,onChanged:o,onClose:r}){let i=G().role==="administrator",[s,d]=f(t),[p,g]=f(!!t.client_id||!t.sandbox_credentials),[u,h]=f(t.client_id??""),[c,l]=f(""),[m,k]=f(t.scopes??t.default_scopes),[y,C]=f(t.description),[w,I]=f(t.enabled),[v,z]=f(t.config),[L,oe]=f(t.auth_methods),[W,A]=f(t.custom_provider),[$,se]=f(!1),[re,Y]=f(!1),[bo,Ye]=f(!1),{busy:wo,error:ue,run:xo,clear:yo}=q(),Xe=`/providers/${encodeURIComponent(s.slug)}`,Qe=Fe({ownership:s.ownership}),ae=x=>te=>{x(te),se(!0),yo()},ko=ae(l),Co=()=>xo(async()=>{let x={enabled:w,description:y,config:v};s.scopes===null&&m.join()===s.default_scopes.join()||(x.scopes=m),L.join()!==s.auth_methods.join()&&(x.auth_methods=L),p&&u.trim()&&(u.trim()!==s.client_id||c)&&(x.credentials={type:"custom",client_id:u.trim(),...c?{client_secret:c}:{}}),W&&JSON.stringify(W)!==JSON.stringify(s.custom_provider)&&(x.custom_provider=W);let xe=await E("PUT",Xe+Qe,x);d(xe),l(""),se(!1),o(),Z(`${xe.name} is saved`)}),bt=L.includes("oauth");return e(J,{kind:"drawer",onClose:r,title:e(_,{children:[e(de,{name:s.name,slug:s.slug}),s.name,s.enabled?e(B,{tone:"good",children:"Enabled"}):e(B,{tone:"quiet",children:"Not enabled"})]}),footer:i?e(_,{children:[e("span",{class:"left",children:e(b,{kind:"bare",icon:"trash",onClick:()=>Y(!0),children:"Remove"})}),e(b,{onClick:r,children:"Close"}),e(b,{kind:"primary",busy:wo,onClick:()=>{Co()},children:"Save"})]}):void 0,children:[e("div",{class:"segments",role:"group","aria-label":"Whose connections",children:[e("button",{type:"button","aria-pressed":s.ownership==="userland_user",onClick:()=>n("userland_user"),children:"Each person's own"}),e("button",{type:"button","aria-pressed":s.ownership==="organization",onClick:()=>n("organization"),children:"Shared by an organization"})]}),ue?e(T,{error:ue}):null,e("div",{children:[s.available_auth_methods.length>1?e("section",{class:"part",children:[e("h3",{children:"How people connect"}),e("div",{class:"choices",children:s.available_auth_methods.map(x=>e("label",{class:"choice",children:[e("input",{type:"checkbox",checked:L.includes(x),disabled:!i,onChange:te=>ae(oe)(s.available_auth_methods.filter(xe=>xe===x?te.currentTarget.checked:L.includes(xe)))}),e("span",{children:[e("strong",{children:to[x]?.[0]??x}),e("small",{children:to[x]?.[1]})]})]},x))})]}):null,bt?e(_,{children:[s.sandbox_credentials?e("section",{class:"part",children:[e("h3",{children:"Credentials"}),e("div",{class:"choices",role:"radiogroup","aria-label":"Credentials",children:[e("label",{class:"choice",children:[e("input",{type:"radio",name:"credentials",checked:!p,disabled:!i||!!s.client_id,onChange:()=>ae(g)(!1)}),e("span",{children:[e("strong",{children:s.sandbox_credentials==="shared"?"The sandbox's shared credentials":"Simulated credentials"}),e("small",{children:[s.sandbox_credentials==="shared"?"A real OAuth app that the whole sandbox shares.":`A simulated ${s.name} in this sandbox: nothing to set up, and it can be told to fail.`,s.client_id?" Remove the credentials of your own app to go back to these.":""]})]})]}),e("label",{class:"choice",children:[e("input",{type:"radio",name:"credentials",checked:p,disabled:!i,onChange:()=>ae(g)(!0)}),e("span",{children:[e("strong",{children:"My own OAuth app"}),e("small",{children:"What production uses."})]})]})]})]}):null,p?e(_,{children:[e(Jr,{data:s}),e("section",{class:"part",children:[e("h3",{children:"From there, enter here"}),e("div",{class:"form",children:[e(S,{label:"Client ID",error:ue?.fields["credentials.client_id"]?ue.message:void 0,children:x=>e("input",{...x,value:u,disabled:!i,autocomplete:"off",spellcheck:!1,onInput:te=>ae(h)(te.currentTarget.value)})}),e(S,{label:"Client secret",error:ue?.fields["credentials.client_secret"]?ue.message:void 0,hint:s.secrets.length?`Stored, sealed: ${s.secrets.map(x=>`${x.last_four?`…${x.last_four}`:"one"} since ${_e(x.created_at)}`).join(" and ")}. A new one is used first, and the one before it goes on until the next.`:"Sealed as soon as it arrives, and never shown again.",children:x=>e("input",{...x,type:"password",value:c,disabled:!i,autocomplete:"new-password",placeholder:s.secrets.length?"Leave empty to keep the stored one":"",onInput:te=>ko(te.currentTarget.value)})}),i&&s.client_id?e("div",{class:"head-actions",children:e(b,{kind:"danger",small:!0,onClick:()=>Ye(!0),children:"Remove credentials"})}):null]})]})]}):null,e(Yr,{data:s,chosen:m,choose:ae(k),disabled:!i})]}):null,s.config_fields.length?e("section",{class:"part",children:[e("h3",{children:"Where it is"}),e("p",{class:"soft small-text",children:"Leave a field empty to have whoever connects fill it in."}),e("div",{class:"form",children:s.config_fields.map(x=>e(S,{label:x.label,hint:`${x.description}${x.example?` For example ${x.example}.`:""}`,error:ue?.fields[`config.${x.name}`]?ue.message:void 0,children:te=>e("input",{...te,value:v[x.name]??"",placeholder:x.default??"",disabled:!i,onInput:xe=>{let{[x.name]:oi,...wt}=v,xt=xe.currentTarget.value.trim();ae(z)(xt?{...wt,[x.name]:xt}:wt)}})},x.name))})]}):null,W?e("section",{class:"part",children:[e("h3",{children:"Its addresses"}),e("p",{class:"soft small-text",children:"Changing where the client secret is sent asks for the secret again."}),e(mt,{value:W,onChange:ae(A),errors:ue?.fields??{},disabled:!i})]}):null,e("section",{class:"part",children:[e("h3",{children:"What people see"}),e(S,{label:"Description",hint:"Shown in the widget. Left empty, the catalogue's own words are shown.",children:x=>e("textarea",{...x,maxLength:500,value:y,disabled:!i,placeholder:s.provider_description,onInput:te=>ae(C)(te.currentTarget.value)})}),e(We,{label:"People can connect it",checked:w,disabled:!i,onChange:ae(I)})]}),bt&&i?e("section",{class:"part",children:[e("h3",{children:"Test this provider"}),s.ownership==="organization"?e("p",{class:"soft small-text",children:"A trial is of the registration for each person's own connections."}):e(Qn,{data:s,unsaved:$})]}):null,s.notes.length||s.documentation.length?e("section",{class:"part",children:e("details",{class:"quiet",children:[e("summary",{children:["Good to know about ",s.name]}),e("ul",{children:[s.notes.map(x=>e("li",{children:x},x)),s.documentation.map(x=>e("li",{children:/^https:\/\//.test(x)?e("a",{href:x,target:"_blank",rel:"noreferrer noopener",children:x.replace(/^https:\/\//,"")}):x},x))]})]})}):null]}),re?e(ie,{title:`Remove ${s.name}?`,action:"Remove",onClose:()=>Y(!1),onConfirm:async()=>{await E("DELETE",Xe+Qe),o(),Z(`${s.name} is removed`),r()},children:e("p",{children:"Its client id, secret and redirect URI are forgotten. It is refused while anybody is connected."})}):null,bo?e(ie,{title:`Remove the credentials of ${s.name}?`,action:"Remove credentials",onClose:()=>Ye(!1),onConfirm:async()=>{let x=await E("DELETE",`${Xe}/client${Qe}`);d(x),h(""),l(""),g(!x.sandbox_credentials),Ye(!1),o(),Z(`The credentials of ${s.name} are removed`)},children:e("p",{children:["The client id and its secrets are forgotten here; at ",s.name," the app stays as it is. The redirect URI stays, too. ",s.sandbox_credentials?"":"Nobody can connect until there are others. ","It is refused while anybody is connected."]})}):null]})}function Jr({data:t}){let n=t.setup;return e("section",{class:"part",children:[e("h3",{children:["At ",t.name]}),e("ol",{class:"steps",children:(n.length?n:[`Register an OAuth app at ${t.name} with the redirect URI ${t.redirect_uri}`]).map(o=>{let[r,...a]=o.split(t.redirect_uri);return e("li",{children:e("div",{children:[r,a.length?e(_,{children:[e("code",{class:"inline",children:t.redirect_uri}),a.join(t.redirect_uri),e(ft,{text:t.redirect_uri,label:"the redirect URI"})]}):null]})},o)})}),n.length&&!n.some(o=>o.includes(t.redirect_uri))?e("div",{class:"field",children:[e("span",{class:"legend",children:"Redirect URI"}),e(le,{text:t.redirect_uri,label:"the redirect URI"})]}):null]})}function Yr({data:t,chosen:n,choose:o,disabled:r}){let[a,i]=f(""),s=new Set(t.available_scopes.map(c=>c.name)),d=n.filter(c=>!s.has(c)),[p,g]=f(d.join(" ")),u=t.available_scopes.filter(c=>`${c.name} ${c.description}`.toLowerCase().includes(a.toLowerCase())),h=(c,l)=>o(l?[...n,c]:n.filter(m=>m!==c));return e("section",{class:"part",children:[e("h3",{children:["What it may do ",e("span",{class:"soft small-text",children:["· ",n.length," chosen"]})]}),t.available_scopes.length>8?e("div",{class:"searchbar",children:[e(O,{name:"search"}),e("input",{type:"search","aria-label":"Search the scopes",placeholder:`Search ${t.available_scopes.length} scopes`,value:a,onInput:c=>i(c.currentTarget.value)})]}):null,u.length?e("div",{class:"scopes",role:"group","aria-label":"Scopes",tabIndex:u.length>6?0:void 0,children:u.map(c=>e("label",{class:"scope",children:[e("input",{type:"checkbox",checked:c.required||n.includes(c.name),disabled:r||c.required,onChange:l=>h(c.name,l.currentTarget.checked)}),e("span",{children:[c.description,c.required?" (always asked for)":"",e("code",{children:c.name})]})]},c.name))}):null,e(S,{label:s.size?"Other scopes":"Scopes",hint:"As the provider spells them, with spaces between.",children:c=>e("input",{...c,value:p,disabled:r,spellcheck:!1,autocomplete:"off",onInput:l=>{g(l.currentTarget.value),o([...n.filter(m=>s.has(m)),...l.currentTarget.value.split(/\s+/).filter(Boolean)])}})})]})}function ro({what:t}){let n=G(),o=H(()=>R("/providers"),"providers"),[r,a]=f(""),[i,s]=f(!1),d=p=>ce(p?`/providers/${encodeURIComponent(p)}`:"/providers");return e(_,{children:[e(V,{title:"Providers",text:"The services that people can connect their accounts of.",children:n.role==="administrator"?e(b,{icon:"wand",onClick:()=>s(!0),children:"Custom provider"}):null}),e(K,{from:o,rows:8,children:({providers:p})=>{let g=r.toLowerCase().split(/\s+/).filter(Boolean),u=p.filter(l=>g.every(m=>`${l.name} ${l.slug} ${l.description}`.toLowerCase().includes(m))),h=u.filter(l=>l.registrations.length),c=u.filter(l=>!l.registrations.length);return e(_,{children:[e("div",{class:"filters",children:e("div",{class:"searchbar",children:[e(O,{name:"search"}),e("input",{type:"search","aria-label":"Search the catalogue",placeholder:`Search ${p.length} providers`,value:r,onInput:l=>a(l.currentTarget.value)})]})}),e("p",{class:"unseen",role:"status",children:[u.length," found"]}),h.length?e(oo,{title:"Set up",note:String(h.length),providers:h,open:d}):null,c.length?e(oo,{title:"Catalogue",note:`${c.length} to choose from`,providers:c,open:d}):null,u.length?null:e(Q,{icon:"search",title:`Nothing in the catalogue is called “${r}”`,children:[e("p",{children:"Any OAuth 2.0 provider can be added: its addresses are often found by themselves."}),n.role==="administrator"?e(b,{icon:"wand",kind:"primary",onClick:()=>s(!0),children:"Add a custom provider"}):null]})]})}}),t?e(no,{slug:t,known:o.data?.providers.find(p=>p.slug===t)?.registrations.map(p=>p.ownership)??null,name:o.data?.providers.find(p=>p.slug===t)?.name??t,onChanged:o.reload,onClose:()=>d(null)},t):null,i?e(eo,{onClose:()=>s(!1),onMade:p=>{s(!1),o.reload(),d(p)}}):null]})}function oo({title:t,note:n,providers:o,open:r}){return e("section",{children:[e("h2",{class:"section-title",children:[t," ",e("span",{children:n})]}),e("div",{class:"grid",children:o.map(a=>e("button",{type:"button",class:"provider",onClick:()=>r(a.slug),children:[e("span",{class:"provider-top",children:[e(de,{name:a.name,slug:a.slug}),e("strong",{children:a.name})]}),e("p",{children:a.description||"A provider of your own."}),e("span",{class:"badges",children:e(Xr,{provider:a})})]},a.slug))})]})}function Xr({provider:t}){let{registrations:n,trouble:o,custom:r}=t;if(!n.length)return e("span",{class:"soft small-text",children:"Not set up"});let a=n.filter(d=>d.enabled),i=a.some(d=>!d.credentials)&&t.auth_methods.includes("oauth"),s=n.find(d=>d.credentials)?.credentials;return e(_,{children:[o?.kind==="misconfigured"?e(B,{tone:"bad",children:"Credentials refused"}):o?e(B,{tone:"warning",children:"Does not answer"}):null,i?e(B,{tone:"warning",children:"No credentials"}):a.length?e(B,{tone:"good",children:"Enabled"}):e(B,{tone:"quiet",children:"Not enabled"}),s?e(B,{tone:"quiet",children:Ue[s]??s}):null,n.some(d=>d.ownership==="organization")?e(B,{tone:"accent",children:"Shared by organizations"}):null,r?e(B,{tone:"accent",children:"Custom"}):null]})}function io(){let t=G(),n=H(()=>R("/settings"),"settings"),[o,r]=f(!1);return e(_,{children:[e(V,{title:"Settings",text:"What this stage was deployed with. It is changed in its configuration and a deployment, so every change has an author and can be taken back."}),e(K,{from:n,rows:9,children:a=>e("div",{class:"stack",children:[e(D,{title:"To change one",children:e("div",{class:"stack",children:[e("p",{class:"soft small-text",children:["Set it for the stage in ",e("code",{children:".chalice/config.json"})," under ",e("code",{children:"environment_variables"}),", then deploy.",a.environment==="sandbox"?" The sandbox on your machine takes it from its own environment when it starts.":""]}),e(le,{text:`make deploy STAGE=${a.stage}`,label:"the command"})]})}),e(D,{flush:!0,children:e("div",{class:"table-wrap",children:e("table",{class:"stacks",children:[e("thead",{children:e("tr",{children:[e("th",{children:"Setting"}),e("th",{children:"Value"})]})}),e("tbody",{children:a.settings.map(i=>e("tr",{children:[e("td",{children:e("span",{class:"who",children:e("div",{children:[e("strong",{children:i.title}),e("small",{children:i.text}),e("small",{children:e("code",{children:i.name})})]})})}),e("td",{children:e(Qr,{value:i.value})})]},i.name))})]})})}),e(D,{title:"Sessions",children:e("div",{class:"stack",children:[e("p",{class:"soft small-text",children:["You are signed in as ",t.actor," until ",he(t.expires_at),"."]}),t.role==="administrator"?e("div",{class:"head-actions",children:e(b,{kind:"danger",icon:"logOut",onClick:()=>r(!0),children:"End all sessions"})}):e(M,{tone:"quiet",children:e("span",{children:"You may look and change nothing."})})]})})]})}),o?e(ie,{title:"End all sessions?",action:"End all",onClose:()=>r(!1),onConfirm:async()=>{await E("DELETE","/sessions"),location.assign("/dashboard")},children:e("p",{children:"Everybody who has the dashboard open is signed out at once, you too. Whoever has the AWS credentials can make a new link."})}):null]})}function Qr({value:t}){return Array.isArray(t)?t.length?e("span",{class:"chips",children:t.map(n=>e("code",{children:n},n))}):e("span",{class:"soft",children:"none"}):typeof t=="boolean"?e(_,{children:t?"on":"off"}):e("code",{children:String(t)})}function vt({title:t,children:n}){return e("div",{class:"gate",children:e("main",{class:"card",children:[e("span",{class:"brand-mark",children:e(O,{name:"plug"})}),e("h1",{children:t}),n]})})}function so(){return e(_,{children:[e("p",{class:"soft",children:"Make a link with your own AWS credentials. It works once, for five minutes."}),e("pre",{children:e("code",{children:"make dashboard STAGE=…"})})]})}function ao(){let t=X(location.hash.slice(1)),[n,o]=f(!1),{busy:r,error:a,run:i}=q();return N(()=>{document.title="Sign in · Standpipe",history.replaceState(null,"",location.pathname)},[]),!t.current||n?e(vt,{title:"Sign in",children:[a?e(T,{error:a}):null,e(so,{})]}):e(vt,{title:"Sign in to Standpipe",children:[e("p",{class:"soft",children:"You will be signed in on this browser for eight hours. What you change is noted under your AWS identity."}),e(b,{kind:"primary",busy:r,autofocus:!0,onClick:()=>{i(async()=>{try{await E("POST","/sign-in",{token:t.current})}catch(s){throw o(!0),s}location.replace("/dashboard")})},children:"Sign in"})]})}function lo(){return e(vt,{title:"You are signed out",children:[e(so,{}),e("p",{class:"soft small-text",children:["Elsewhere than in the sandbox name the stage, and use ",e("code",{children:"python -m ops dashboard --stage …"})," where there is no make."]})]})}var co=[["normal","answers as it should"],["slow","answers slowly"],["500","fails (500)"],["429","says it is too much (429)"],["malformed","sends half an answer"]];async function uo(t,n){let o=await fetch(`/simulator${t}`,n?{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify(n)}:{}),r=await o.json();if(!o.ok)throw new pe(r.message??"The simulator did not answer.","simulator",o.status,{});return r}function po(){let t=H(()=>uo("/knobs"),"knobs"),n=H(()=>R("/providers"),"providers"),o=Object.fromEntries((n.data?.providers??[]).map(r=>[r.slug,r.name]));return e(_,{children:[e(V,{title:"Simulator",text:"Play the provider: let it fail, or end a person's grant there, and watch what Standpipe makes of it.",children:e("a",{class:"button",href:"/simulator",target:"_blank",rel:"noopener",children:"The whole simulator"})}),e(K,{from:t,children:r=>e("div",{class:"stack",children:Object.entries(r).map(([a,{knobs:i,grants:s}])=>e(Zr,{slug:a,name:o[a]??Se(a),knobs:i,grants:s,reload:t.reload},`${a} ${JSON.stringify(i)}`))})})]})}function Zr({slug:t,name:n,knobs:o,grants:r,reload:a}){let[i,s]=f(o),{busy:d,error:p,run:g}=q(),u=(c,l)=>{g(async()=>{await uo(`/${t}/knobs`,c),Z(l),a()})},h=r.filter(c=>!c.ended);return e(D,{title:n,aside:e("span",{class:"head-actions",children:[e(B,{tone:o.behaviour==="normal"?"good":"warning",children:co.find(([c])=>c===o.behaviour)?.[1]??o.behaviour}),e(B,{tone:"quiet",children:be(h.length,"grant")})]}),children:[e("form",{class:"filters",onSubmit:c=>{c.preventDefault(),u({action:"set",behaviour:i.behaviour,target:i.target,access_token_seconds:String(i.access_token_seconds)},`${n} is set`)},children:[e(S,{label:"It",children:c=>e("select",{...c,value:i.behaviour,onChange:l=>s({...i,behaviour:l.currentTarget.value}),children:co.map(([l,m])=>e("option",{value:l,children:m},l))})}),e(S,{label:"When asked",children:c=>e("select",{...c,value:i.target,onChange:l=>s({...i,target:l.currentTarget.value}),children:[e("option",{value:"token",children:"for tokens"}),e("option",{value:"api",children:"at its API"})]})}),e(S,{label:"Access tokens live (seconds)",children:c=>e("input",{...c,type:"number",min:1,value:i.access_token_seconds,onInput:l=>s({...i,access_token_seconds:l.currentTarget.valueAsNumber||1})})}),e(b,{type:"submit",busy:d,children:"Set"}),e(b,{onClick:()=>u({action:"reset"},`${n} is as it was`),children:"Reset"})]}),p?e(T,{error:p}):null,h.length?e("div",{class:"table-wrap",children:e("table",{class:"stacks",children:[e("thead",{children:e("tr",{children:[e("th",{children:"Person"}),e("th",{children:"Allowed"}),e("th",{children:e("span",{class:"unseen",children:"Actions"})})]})}),e("tbody",{children:h.map(c=>e("tr",{children:[e("td",{children:e("span",{class:"who",children:[e(de,{name:c.account}),c.account]})}),e("td",{class:"soft small-text",children:c.scopes.join(", ")}),e("td",{class:"right",children:e("span",{class:"head-actions",children:[e(b,{small:!0,onClick:()=>u({action:"expire_access_token",grant:c.id},"Its access token has ended"),children:"End the token"}),e(b,{kind:"danger",small:!0,onClick:()=>u({action:"revoke_grant",grant:c.id},"The person revoked it"),children:"Revoke"})]})})]},c.id))})]})}):null]})}var ho="standpipe-theme",go=matchMedia("(prefers-color-scheme: dark)");function Pe(){let t=null;try{t=localStorage.getItem(ho)}catch{}return t==="light"||t==="dark"?t:go.matches?"dark":"light"}function fo(){document.documentElement.dataset.theme=Pe(),go.addEventListener("change",()=>{document.documentElement.dataset.theme=Pe()})}function mo(){let t=Pe()==="dark"?"light":"dark";try{localStorage.setItem(ho,t)}catch{}return document.documentElement.dataset.theme=t,t}var _t=[["overview","Overview","gauge"],["providers","Providers","plug"],["connections","Connections","link"],["events","Events","activity"],["keys","API keys","key"],["audit","Audit","scroll"],["settings","Settings","settings"]];function ei(t){switch(t.page){case"overview":return e(Xn,{});case"providers":return e(ro,{what:t.what});case"connections":return t.what?e(Fn,{reference:t.what},t.what):e(qn,{query:t.query});case"events":return e(Vn,{what:t.what,query:t.query});case"keys":return e(Gn,{});case"audit":return e(Ln,{});case"settings":return e(io,{});case"simulator":return e(po,{})}return e(Q,{icon:"search",title:"There is no such page",children:e("a",{href:"/dashboard",children:"Back to the overview"})})}function vo({session:t}){return e("div",{class:"brand",children:[e("span",{class:"brand-mark",children:e(O,{name:"plug"})}),e("div",{children:["Standpipe",e("small",{children:t.app_name})]})]})}function ti({session:t}){let n=Un(),[o,r]=f(!1),[a,i]=f(Pe()),s=X(null),d=X(!0),p=_t.find(([u])=>u===n.page)?.[1]??"Simulator";N(()=>{document.title=`${p} · Standpipe`,r(!1),d.current?d.current=!1:(scrollTo(0,0),s.current?.querySelector("h1")?.focus())},[n.page,n.what]);let g=t.environment==="sandbox"?[..._t,["simulator","Simulator","flask"]]:_t;return e("div",{class:"frame",onClick:Hn,children:[e("a",{class:"skip",href:"#main",children:"Skip to the page"}),e("header",{class:"topbar",children:[e(vo,{session:t}),e(B,{tone:t.environment==="sandbox"?"warning":"accent",children:t.stage}),e(Re,{icon:o?"x":"menu",label:o?"Close the menu":"Open the menu","aria-expanded":o,"aria-controls":"side",onClick:()=>r(!o)})]}),e("aside",{class:o?"side open":"side",id:"side","aria-label":"Menu and session",children:[e(vo,{session:t}),e("nav",{class:"nav","aria-label":"Pages",children:g.map(([u,h,c])=>e("a",{href:u==="overview"?"/dashboard":`/dashboard/${u}`,"aria-current":n.page===u?"page":void 0,children:[e(O,{name:c}),h]},u))}),e("div",{class:"side-foot",children:[e("div",{class:"row",children:e("span",{children:[e(B,{tone:t.environment==="sandbox"?"warning":"accent",children:t.environment})," ",t.stage]})}),e("div",{class:"row",children:e("span",{title:t.actor,children:[qe(t.actor),t.role==="viewer"?" (may look only)":""]})}),e("div",{class:"row",children:[e(Re,{icon:a==="dark"?"sun":"moon",label:a==="dark"?"Light colours":"Dark colours",onClick:()=>i(mo())}),e(Re,{icon:"logOut",label:"Sign out",onClick:()=>{E("POST","/sign-out").then(()=>location.assign("/dashboard"))}})]})]})]}),e("main",{class:"main",id:"main",ref:s,tabIndex:-1,children:ei(n)}),e(On,{})]})}function ni(){let[t,n]=f(null),[o,r]=f(null),[a,i]=f(!1),s=()=>{r(null),R("/session").then(d=>{Zt(d.csrf),n(d),i(!1)},d=>d.status!==401&&r(d))};return N(()=>{en(()=>i(!0)),s()},[]),a?e(lo,{}):o?e("div",{class:"gate",children:e("main",{class:"card",children:e(T,{error:o,retry:s})})}):t?e(ht.Provider,{value:t,children:e(ti,{session:t})}):e(ee,{rows:6})}fo();var _o=document.getElementById("dashboard");_o&&Dt(location.pathname==="/dashboard/sign-in"?e(ao,{}):e(ni,{}),_o);})();
