using JobHost.Server.Security;
using JobHost.Server.Tests.Support;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Server.Tests;

/// <summary>The door is shut where nobody has decided to open it, and where what decides is broken.</summary>
public sealed class AccessTests
{
    private const string Secret = "jh_0123456789abcdef";

    // What strangers may ask: all other routes name the least role.
    private static readonly string[] Open = ["GET /", "GET /healthz/live", "GET /healthz/ready"];

    [Fact(Timeout = 120_000)]
    public async Task Every_route_has_a_decision_about_who_may()
    {
        await using var server = new InProcessServer(OneKey());
        var routes = server
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .ToDictionary(
                route =>
                    $"{string.Join(',', route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["ANY"])} /{route.RoutePattern.RawText?.TrimStart('/')}",
                route => route.Metadata
            );

        Assert.InRange(routes.Count, 40, 500);
        foreach (var (name, metadata) in routes)
        {
            var roles = metadata.OfType<IAuthorizeData>().Select(data => data.Policy).ToList();
            if (Open.Contains(name))
            {
                Assert.True(roles.Count == 0 && metadata.GetMetadata<IAllowAnonymous>() is not null, name);
            }
            else
            {
                Assert.True(roles.Count > 0 && metadata.GetMetadata<IAllowAnonymous>() is null, $"{name} is open");
                Assert.All(roles, role => Assert.True(Enum.TryParse<Role>(role, out _), $"{name}: {role}"));
            }
        }
        Assert.Empty(Open.Except(routes.Keys));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_path_that_nobody_has_decided_about_is_shut()
    {
        await using var server = new InProcessServer(OneKey());

        foreach (var path in new[] { "/nothing", "/api/v1/nothing", "/api/v2/jobs", "/debug", "/swagger/none" })
        {
            (await server.Api.FetchAsync(path)).ExpectProblem(401, "unauthenticated");
            (await server.Api.CallAsync(HttpMethod.Put, path, null)).ExpectProblem(401, "unauthenticated");
            (await server.Api.FetchAsync(path, ("X-Api-Key", Secret))).ExpectProblem(404, "not-found");
        }
        (await server.Api.FetchAsync("/healthz/live")).Expect(200);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("")]
    [InlineData("jh_0123456789abcde")]
    [InlineData("jh_0123456789abcdef0")]
    [InlineData("JH_0123456789ABCDEF")]
    [InlineData("0123456789abcdef")]
    [InlineData("sha256:")]
    [InlineData("jh_0123456789abcdef, jh_0123456789abcdef")]
    public async Task A_key_that_is_nearly_right_is_wrong(string key)
    {
        await using var server = new InProcessServer(OneKey());

        (await server.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", key))).ExpectProblem(401, "unauthenticated");
        (await server.Api.FetchAsync("/api/v1/jobs", ("Authorization", $"Bearer {key}"))).ExpectProblem(401);
        (await server.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", ApiKey.HashOf(Secret)))).ExpectProblem(401);
        (await server.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", Secret))).Expect(200);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_tries_keys_is_in_the_log_and_told_to_wait_and_locks_nobody_out()
    {
        await using var server = await ServerProcess.StartAsync(
            settings: [.. OneKey().Select(pair => $"--{pair.Key}={pair.Value}")]
        );
        var api = server.Api;

        var answers = new List<int>();
        for (var i = 0; i < 30; i++)
        {
            answers.Add((await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", $"jh_guess-{i}"))).Status);
        }
        var late = await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", "jh_guess-again"));

        Assert.Equal(20, answers.Count(status => status == 401));
        Assert.Equal(10, answers.Count(status => status == 429));
        late.ExpectProblem(429, "too-many-requests");
        Assert.Equal("60", late.Header("Retry-After"));
        (await api.FetchAsync("/api/v1/jobs", ("X-Api-Key", Secret))).Expect(200);
        Assert.Equal(0, await server.TerminateAsync());
        Assert.Equal(20, Count(server.Output, "was shown by 127.0.0.1 for /api/v1/jobs"));
        Assert.Equal(1, Count(server.Output, "More than 20 keys that do not exist"));
        Assert.DoesNotContain("jh_guess", server.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_file_of_keys_that_breaks_opens_no_door_and_keeps_a_start_from_happening()
    {
        var data = ServerProcess.NewDataDirectory();
        var (code, output) = await ServerProcess.RunAsync(data, arguments: ["keys", "create", "deploy", "admin"]);
        Assert.Equal(0, code);
        var secret = KeysVerbTests.SecretIn(output);
        var file = Path.Combine(data, "data", "keys.json");
        var whole = await File.ReadAllTextAsync(file, ApiClient.Token);
        await using (var server = await ServerProcess.StartAsync(data))
        {
            await File.WriteAllTextAsync(file, whole[..(whole.Length / 2)], ApiClient.Token);
            await Poll.UntilAsync(
                async () =>
                    (await server.Api.FetchAsync("/healthz/ready")).Text.Contains("keys", StringComparison.Ordinal)
                        ? null
                        : "it says nothing",
                "the node to say that its keys cannot be read"
            );
            (await server.Api.FetchAsync("/api/v1/jobs")).ExpectProblem(401);
            (await server.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", "jh_x"))).ExpectProblem(401);
            (await server.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", secret))).Expect(200);
            File.Delete(file);
            await Poll.UntilAsync(
                async () =>
                    (await server.Api.FetchAsync("/api/v1/jobs", ("X-Api-Key", secret))).Status == 401
                        ? null
                        : "it opens",
                "the keys to be gone with their file"
            );
            (await server.Api.FetchAsync("/api/v1/jobs")).ExpectProblem(401);
        }
        foreach (var broken in new[] { whole[..(whole.Length / 2)], "[null]", "{}", whole.Replace("sha256:", "md5:") })
        {
            await File.WriteAllTextAsync(file, broken, ApiClient.Token);
            var refused = await ServerProcess.RunAsync(data);
            Assert.True(refused.ExitCode == JobHostServer.ExitConfiguration, $"{broken}: {refused.Output}");
            Assert.DoesNotContain("   at ", refused.Output, StringComparison.Ordinal);
        }
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static Dictionary<string, string> OneKey() =>
        new()
        {
            ["JobHost:Security:Keys:0:Name"] = "admin",
            ["JobHost:Security:Keys:0:Role"] = "admin",
            ["JobHost:Security:Keys:0:Hash"] = ApiKey.HashOf(Secret),
        };
}
