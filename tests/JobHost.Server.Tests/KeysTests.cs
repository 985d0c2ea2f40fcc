using System.Text;
using JobHost.Server.Security;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Where there is a key, everybody shows one; each may do what its role may, and sees what its jobs are.</summary>
public sealed class KeysTests(KeysTests.Server server) : IClassFixture<KeysTests.Server>
{
    private const string Id = "0198c0de-0000-7000-8000-000000000001";
    private static readonly Dictionary<string, string> Secrets = new()
    {
        ["viewer"] = "jh_viewer",
        ["operator"] = "jh_operator",
        ["killer"] = "jh_killer",
        ["admin"] = "jh_admin",
        ["expired"] = "jh_expired",
        ["scoped"] = "jh_scoped",
    };

    // Every operation of the API with the least role that may use it, and a body that is good.
    public static TheoryData<string, string, string?, Role> Operations =>
        new()
        {
            { "GET", "/api/v1/jobs", null, Role.Viewer },
            { "GET", "/api/v1/jobs/result", null, Role.Viewer },
            { "POST", "/api/v1/jobs/none/runs", "{}", Role.Operator },
            { "POST", "/api/v1/jobs/none/pause", "{}", Role.Admin },
            { "POST", "/api/v1/jobs/none/resume", null, Role.Admin },
            { "POST", "/api/v1/terminations", $$"""{ "ids": ["{{Id}}"], "mode": "cancel" }""", Role.Operator },
            { "POST", "/api/v1/terminations", $$"""{ "ids": ["{{Id}}"], "mode": "kill" }""", Role.Killer },
            { "GET", "/api/v1/runs", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/logs", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/events", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/termination", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/autopsy", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/stack", null, Role.Operator },
            { "GET", $"/api/v1/runs/{Id}/artifacts", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/artifacts/{{path}}", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/parameters", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/result", null, Role.Viewer },
            { "GET", $"/api/v1/runs/{Id}/messages", null, Role.Viewer },
            { "POST", $"/api/v1/runs/{Id}/messages", """{ "message": 1 }""", Role.Operator },
            { "DELETE", $"/api/v1/runs/{Id}/messages?through=1", null, Role.Operator },
            { "POST", $"/api/v1/runs/{Id}/input", null, Role.Operator },
            { "POST", $"/api/v1/runs/{Id}/retry", null, Role.Operator },
            { "POST", $"/api/v1/runs/{Id}/cancel", "{}", Role.Operator },
            { "POST", $"/api/v1/runs/{Id}/cancel", """{ "escalate": "kill" }""", Role.Killer },
            { "POST", $"/api/v1/runs/{Id}/kill", "{}", Role.Killer },
            { "POST", $"/api/v1/runs/{Id}/signal", """{ "signal": "USR1" }""", Role.Killer },
            { "POST", $"/api/v1/runs/{Id}/freeze", "{}", Role.Killer },
            { "POST", $"/api/v1/runs/{Id}/thaw", null, Role.Killer },
            { "POST", $"/api/v1/runs/{Id}/release", """{ "reason": "x" }""", Role.Killer },
            { "DELETE", $"/api/v1/runs/{Id}", null, Role.Admin },
            { "POST", "/api/v1/runs/wait", $$"""{ "ids": ["{{Id}}"] }""", Role.Viewer },
            { "POST", "/api/v1/runs/wait", $$"""{ "ids": ["{{Id}}"], "cancelPending": true }""", Role.Operator },
            { "GET", "/api/v1/events?pageSize=1", null, Role.Viewer },
            { "GET", "/api/v1/schedules", null, Role.Viewer },
            { "GET", $"/api/v1/schedules/{Id}", null, Role.Viewer },
            { "GET", $"/api/v1/schedules/{Id}/next", null, Role.Viewer },
            { "PUT", "/api/v1/schedules/of-roles", """{ "job": "result", "cron": "@yearly" }""", Role.Admin },
            { "DELETE", $"/api/v1/schedules/{Id}", null, Role.Admin },
            { "POST", $"/api/v1/schedules/{Id}/pause", "{}", Role.Admin },
            { "POST", $"/api/v1/schedules/{Id}/resume", null, Role.Admin },
            { "POST", $"/api/v1/schedules/{Id}/trigger", null, Role.Operator },
            { "GET", "/api/v1/nodes", null, Role.Viewer },
            { "GET", "/api/v1/nodes/none", null, Role.Viewer },
            { "POST", "/api/v1/nodes/none/drain", "{}", Role.Admin },
            { "POST", "/api/v1/nodes/none/resume", null, Role.Admin },
            { "POST", "/api/v1/nodes/none/recycle", """{ "reason": "x" }""", Role.Admin },
            { "GET", "/api/v1/audit", null, Role.Admin },
            { "GET", "/api/v1/webhooks", null, Role.Admin },
            { "GET", "/api/v1/webhooks/none/deliveries", null, Role.Admin },
            { "GET", "/metrics", null, Role.Viewer },
            { "GET", "/openapi/v1.json", null, Role.Viewer },
        };

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Operations))]
    public async Task Each_role_may_do_what_it_may_and_nothing_more(
        string method,
        string path,
        string? body,
        Role needed
    )
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            var answer = await SendAsync(method, path, body, Bearer(role.ToString().ToLowerInvariant()));
            if (role >= needed)
            {
                Assert.True(
                    answer.Status is 200 or 201 or 202 or 204 or 404 or 415,
                    $"{role}: {answer.Status} {answer.Text}"
                );
            }
            else
            {
                var problem = answer.ExpectProblem(403, "forbidden");
                Assert.InRange(Enum.Parse<Role>(problem.Text("requiredRole"), ignoreCase: true), role + 1, needed);
            }
        }
        foreach (var (name, value) in new[] { ("X-None", ""), Bearer("expired"), ("Authorization", "Bearer nonsense") })
        {
            var refused = await SendAsync(method, path, body, (name, value));
            refused.ExpectProblem(401, "unauthenticated");
            Assert.NotNull(refused.Header("WWW-Authenticate"));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_operation_of_the_document_is_in_the_list_above_but_the_probes()
    {
        var document = (await SendAsync("GET", "/openapi/v1.json", null, Bearer("viewer"))).Expect(200);
        var listed = Operations
            .Select(row => row.Data)
            .Select(row => $"{row.Item1} {TemplateOf(row.Item2)}")
            .ToHashSet();

        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                Assert.True(
                    path.Name.StartsWith("/healthz", StringComparison.Ordinal)
                        || listed.Contains($"{operation.Name.ToUpperInvariant()} {path.Name}"),
                    $"{operation.Name} {path.Name}"
                );
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_key_is_taken_from_either_header_and_from_no_other_place()
    {
        (await SendAsync("GET", "/api/v1/jobs", null, ("X-Api-Key", Secrets["viewer"]))).Expect(200);
        (await SendAsync("GET", "/api/v1/jobs", null, ("Authorization", $"bearer {Secrets["viewer"]}"))).Expect(200);
        (await SendAsync("GET", $"/api/v1/jobs?key={Secrets["viewer"]}", null)).ExpectProblem(401);
        (await SendAsync("GET", "/api/v1/jobs", null, Basic("viewer"))).ExpectProblem(401);
        // A browser's own sign-in opens the documentation, and no more.
        (await SendAsync("GET", "/openapi/v1.json", null, Basic("viewer"))).Expect(200);
        Assert.Equal(200, (await SendAsync("GET", "/swagger/index.html", null, Basic("viewer"))).Status);
        var asked = await SendAsync("GET", "/swagger/index.html", null);
        Assert.Equal(401, asked.Status);
        Assert.StartsWith("Basic", asked.Header("WWW-Authenticate"), StringComparison.Ordinal);
        (await SendAsync("POST", "/api/v1/jobs/result/runs", "{}", Basic("admin"))).ExpectProblem(401);
        // Probes need none.
        (await SendAsync("GET", "/healthz/live", null)).Expect(200);
        (await SendAsync("GET", "/healthz/ready", null)).Expect(200);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_key_of_some_jobs_sees_and_starts_no_others()
    {
        var scoped = Bearer("scoped");
        var other = (await SendAsync("POST", "/api/v1/jobs/obeys/runs", "{}", Bearer("admin"))).Expect(202).Text("id");
        var own = (await SendAsync("POST", "/api/v1/jobs/result/runs", "{}", scoped)).Expect(202).Text("id");

        (await SendAsync("POST", "/api/v1/jobs/obeys/runs", "{}", scoped)).ExpectProblem(404, "unknown-job");
        (await SendAsync("GET", "/api/v1/jobs/obeys", null, scoped)).ExpectProblem(404, "unknown-job");
        foreach (var path in new[] { "", "/logs", "/events", "/termination" })
        {
            (await SendAsync("GET", $"/api/v1/runs/{other}{path}", null, scoped)).ExpectProblem(404, "unknown-run");
        }
        (await SendAsync("POST", $"/api/v1/runs/{other}/cancel", "{}", scoped)).ExpectProblem(404, "unknown-run");
        (await SendAsync("POST", "/api/v1/runs/wait", $$"""{ "ids": ["{{other}}"] }""", scoped)).ExpectProblem(
            404,
            "unknown-run"
        );
        (await SendAsync("GET", $"/api/v1/runs/{own}", null, scoped)).Expect(200);
        foreach (var list in new[] { "/api/v1/runs?pageSize=500", "/api/v1/events?pageSize=500" })
        {
            var items = (await SendAsync("GET", list, null, scoped)).Expect(200).GetProperty("items");
            Assert.NotEmpty(items.EnumerateArray());
            Assert.All(items.EnumerateArray(), item => Assert.Equal("result", item.Text("job")));
        }
        var jobs = (await SendAsync("GET", "/api/v1/jobs", null, scoped)).Expect(200).GetProperty("items");
        Assert.Equal("result", Assert.Single(jobs.EnumerateArray()).Text("name"));
        await SendAsync("GET", $"/api/v1/runs/{own}", null, scoped, ("Prefer", "wait=30"));
        var metrics = (await SendAsync("GET", "/metrics", null, scoped)).Text;
        Assert.Contains("jobhost_job=\"result\"", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("jobhost_job=\"obeys\"", metrics, StringComparison.Ordinal);
        Assert.Contains(
            "jobhost_job=\"obeys\"",
            (await SendAsync("GET", "/metrics", null, Bearer("viewer"))).Text,
            StringComparison.Ordinal
        );
        (await SendAsync("POST", $"/api/v1/runs/{other}/cancel", "{}", Bearer("operator"))).Expect(202);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_asks_stands_in_the_receipt_and_in_the_audit()
    {
        var id = (await SendAsync("POST", "/api/v1/jobs/obeys/runs", "{}", Bearer("operator"))).Expect(202).Text("id");
        await SendAsync("POST", $"/api/v1/runs/{id}/kill", """{ "reason": "may not" }""", Bearer("operator"));
        await SendAsync("POST", $"/api/v1/runs/{id}/kill?validateOnly=true", "{}", Bearer("killer"));
        await SendAsync("POST", $"/api/v1/runs/{id}/kill", """{ "reason": "it hangs" }""", Bearer("killer"));
        await SendAsync("POST", $"/api/v1/runs/{id}/kill", "{}", ("Authorization", "Bearer nonsense"));

        var receipt = (await SendAsync("GET", $"/api/v1/runs/{id}/termination", null, Bearer("viewer"))).Expect(200);
        Assert.StartsWith("killer from ", receipt.GetProperty("requests")[0].Text("by"), StringComparison.Ordinal);
        var audit = (await SendAsync("GET", $"/api/v1/audit?run={id}", null, Bearer("admin"))).Expect(200);
        Assert.Equal(
            [
                ("KillRun", "killer", "it hangs", "202"),
                ("KillRun", "operator", "", "403"),
                ("StartRun", "operator", "", "202"),
            ],
            audit
                .GetProperty("items")
                .EnumerateArray()
                .Select(entry => (entry.Text("action"), entry.Text("by"), entry.Text("reason"), entry.Text("status")))
        );
        Assert.Equal("obeys", audit.GetProperty("items")[2].Text("job"));
    }

    /// <summary>The path of the document that a path above is of.</summary>
    internal static string TemplateOf(string path) =>
        path.Split('?')[0]
            .Replace(Id, "{id}")
            .Replace("/nodes/none", "/nodes/{id}")
            .Replace("/schedules/of-roles", "/schedules/{id}")
            .Replace("/webhooks/none", "/webhooks/{name}")
            .Replace("/jobs/none", "/jobs/{job}")
            .Replace("/jobs/result", "/jobs/{job}");

    private static (string, string) Bearer(string name) => ("Authorization", $"Bearer {Secrets[name]}");

    private static (string, string) Basic(string name) =>
        ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Secrets[name]}"))}");

    private Task<Answer> SendAsync(string method, string path, string? body, params (string, string)[] headers) =>
        server.Api.CallAsync(new(method), path, body, headers);

    public sealed class Server() : InProcessServer(Settings())
    {
        private static Dictionary<string, string> Settings()
        {
            var settings = new Dictionary<string, string>();
            foreach (var ((name, secret), index) in Secrets.Select((pair, index) => (pair, index)))
            {
                var key = $"JobHost:Security:Keys:{index}";
                settings[$"{key}:Name"] = name;
                settings[$"{key}:Hash"] = ApiKey.HashOf(secret);
                settings[$"{key}:Role"] =
                    name == "scoped" ? "operator"
                    : name == "expired" ? "admin"
                    : name;
                if (name == "expired")
                {
                    settings[$"{key}:ExpiresAt"] = "2020-01-01T00:00:00Z";
                }
                if (name == "scoped")
                {
                    settings[$"{key}:Jobs:0"] = "result";
                }
            }
            return settings;
        }
    }
}
