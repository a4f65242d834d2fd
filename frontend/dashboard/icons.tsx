/** Icons of Lucide (ISC licence), bundled one by one. They are decoration: the word beside them says it. */
import activity from "lucide-static/icons/activity.svg";
import alert from "lucide-static/icons/triangle-alert.svg";
import arrowLeft from "lucide-static/icons/arrow-left.svg";
import arrowRight from "lucide-static/icons/arrow-right.svg";
import bell from "lucide-static/icons/bell.svg";
import check from "lucide-static/icons/check.svg";
import chevronRight from "lucide-static/icons/chevron-right.svg";
import circleAlert from "lucide-static/icons/circle-alert.svg";
import circleCheck from "lucide-static/icons/circle-check.svg";
import circleX from "lucide-static/icons/circle-x.svg";
import copy from "lucide-static/icons/copy.svg";
import external from "lucide-static/icons/external-link.svg";
import flask from "lucide-static/icons/flask-conical.svg";
import gauge from "lucide-static/icons/gauge.svg";
import info from "lucide-static/icons/info.svg";
import key from "lucide-static/icons/key-round.svg";
import link from "lucide-static/icons/link.svg";
import logOut from "lucide-static/icons/log-out.svg";
import menu from "lucide-static/icons/menu.svg";
import minus from "lucide-static/icons/circle-minus.svg";
import moon from "lucide-static/icons/moon.svg";
import plug from "lucide-static/icons/plug.svg";
import plus from "lucide-static/icons/plus.svg";
import refresh from "lucide-static/icons/refresh-cw.svg";
import scroll from "lucide-static/icons/scroll-text.svg";
import search from "lucide-static/icons/search.svg";
import settings from "lucide-static/icons/settings.svg";
import sun from "lucide-static/icons/sun.svg";
import trash from "lucide-static/icons/trash-2.svg";
import unplug from "lucide-static/icons/unplug.svg";
import wand from "lucide-static/icons/wand-sparkles.svg";
import webhook from "lucide-static/icons/webhook.svg";
import x from "lucide-static/icons/x.svg";

const ICONS = {
  activity, alert, arrowLeft, arrowRight, bell, check, chevronRight, circleAlert, circleCheck, circleX, copy, external, flask, gauge, info, key, link, logOut, menu, minus, moon, plug, plus,
  refresh, scroll, search, settings, sun, trash, unplug, wand, webhook, x,
};
export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }) {
  return <span class="icon" aria-hidden="true" dangerouslySetInnerHTML={{ __html: ICONS[name].replace(/<!--.*?-->\s*/s, "") }} />;
}
