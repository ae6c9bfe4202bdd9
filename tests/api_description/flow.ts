// Uses the types that openapi-typescript makes of the API's description; `tsc --noEmit --strict` compiles it.
import type { components, operations, paths } from "./unite";

type Lead = components["schemas"]["Lead"];
type NewLead = paths["/v1/leads"]["post"]["requestBody"]["content"]["application/json"];
type Created = operations["add_lead"]["responses"][201]["content"]["application/json"];
type Problem = components["schemas"]["Problem"];
type Query = NonNullable<operations["list_leads"]["parameters"]["query"]>;

export const newLead: NewLead = { name: "Grace Hopper", email: "grace@navy.example" };
export const query: Query = { status: ["new", "contacted"], limit: 50 };

// @ts-expect-error A lead has a name.
export const nameless: NewLead = { email: "grace@navy.example" };

// @ts-expect-error There is no such status.
export const unknown: Lead["status"] = "lukewarm";

export async function addLead(url: string, token: string, body: NewLead): Promise<Created> {
    const answer = await fetch(`${url}/v1/leads`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify(body),
    });
    if (answer.status !== 201) {
        const problem: Problem = await answer.json();
        throw new Error(`${problem.code}: ${problem.detail}`);
    }
    return answer.json();
}

export function reachable(lead: Lead): string {
    return lead.phone ?? lead.email ?? lead.id;
}
