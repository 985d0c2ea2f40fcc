using System.Collections;
using System.Net;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using JobHost.Client;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What the API can do and say, the client can: it is compared with the server's own document, method by method.</summary>
public sealed class ClientCoverageTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    /// <summary>Operations that the client leaves to others, and why.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["GetMetrics"] = "Text for Prometheus, which asks for it by itself.",
    };

    private sealed record Operation(string Id, string Method, string Path, JsonElement Description);

    [Fact(Timeout = 120_000)]
    public async Task Every_operation_is_reached_by_the_client()
    {
        var operations = Operations(await DocumentAsync());

        var reached = new HashSet<string>();
        foreach (var (_, operation) in await CallsAsync(operations))
        {
            reached.Add(operation.Id);
        }

        Assert.Equal(Elsewhere.Keys.Order(), operations.Select(one => one.Id).Except(reached).Order());
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_field_and_every_name_of_an_answer_is_known_to_the_client()
    {
        var document = await DocumentAsync();
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        var compared = new HashSet<Type>();

        foreach (var (method, operation) in await CallsAsync(Operations(document)))
        {
            if (AnswerOf(method) is { } type)
            {
                Compare(Answers(document, operation), type, document, unknown, compared);
            }
        }

        Assert.Contains(typeof(JobHost.Client.Documents.RunMessage), compared);
        Assert.Contains(typeof(JobHost.Client.Documents.Termination), compared);
        Assert.Contains(typeof(JobHost.Client.Documents.RunState), compared);
        Assert.Empty(unknown);
    }

    /// <summary>Each public method, called once, and the operation that it asked for first.</summary>
    private static async Task<List<(MethodInfo Method, Operation Operation)>> CallsAsync(List<Operation> operations)
    {
        var calls = new List<(MethodInfo, Operation)>();
        foreach (var method in typeof(JobHostClient).GetMethods(BindingFlags.Public | BindingFlags.Instance))
        {
            if (method.DeclaringType != typeof(JobHostClient) || method.ReturnType == typeof(JobHostClient))
            {
                continue;
            }
            using var recorder = new Recorder();
            var client = new JobHostClient(
                new HttpClient(recorder),
                new() { Address = new("http://localhost"), MaxRetries = 0 }
            );
            await Assert.ThrowsAsync<JobHostApiException>(() => CallAsync(client, method));
            var (verb, path) = recorder.First!.Value;
            var operation = operations.FirstOrDefault(one => one.Method == verb && Matches(one.Path, path));
            Assert.True(operation is not null, $"{method.Name} asks for {verb} {path}, which no operation answers.");
            calls.Add((method, operation));
        }
        return calls;
    }

    private static async Task CallAsync(JobHostClient client, MethodInfo method)
    {
        var answer = method.Invoke(client, [.. method.GetParameters().Select(ArgumentOf)])!;
        if (answer is Task task)
        {
            await task;
            return;
        }
        var item = Assert.Single(method.ReturnType.GetGenericArguments());
        await (Task)
            typeof(ClientCoverageTests)
                .GetMethod(nameof(FirstAsync), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(item)
                .Invoke(null, [answer])!;
    }

    private static async Task FirstAsync<T>(IAsyncEnumerable<T> items) => await items.FirstAsync(ApiClient.Token);

    private static object? ArgumentOf(ParameterInfo parameter) =>
        parameter.ParameterType switch
        {
            var type when type == typeof(CancellationToken) => ApiClient.Token,
            _ when parameter is { HasDefaultValue: true, DefaultValue: var value } => value,
            var type when type == typeof(Guid) => Guid.NewGuid(),
            var type when type == typeof(string) => "name",
            var type when type == typeof(long) => 1L,
            var type when type == typeof(JsonElement) => JsonElement.Parse("1"),
            var type when type == typeof(Stream) => new MemoryStream([1]),
            var type when type == typeof(ReadOnlyMemory<byte>) => new ReadOnlyMemory<byte>([1]),
            var type when type == typeof(IReadOnlyList<Guid>) => new[] { Guid.NewGuid() },
            var type => RuntimeHelpers.GetUninitializedObject(type),
        };

    private static bool Matches(string template, string path) =>
        Regex.IsMatch(path, "^" + Regex.Replace(template, "{[^}]+}", "[^/]+") + "$");

    private async Task<JsonElement> DocumentAsync() =>
        JsonElement.Parse(await server.Api.Client.GetStringAsync("/openapi/v1.json", ApiClient.Token));

    private static List<Operation> Operations(JsonElement document) =>
        [
            .. from path in document.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            where
                operation.Value.ValueKind == JsonValueKind.Object
                && operation.Value.TryGetProperty("operationId", out _)
            // A name before a parameter that would take it, too.
            orderby path.Name.Count(character => character == '{')
            select new Operation(
                operation.Value.Text("operationId"),
                operation.Name.ToUpperInvariant(),
                path.Name,
                operation.Value
            ),
        ];

    /// <summary>The document that a method answers with, or the list that it goes through; null where there is none.</summary>
    private static Type? AnswerOf(MethodInfo method) =>
        method.ReturnType.GetGenericArguments() is not [var type] || type.Namespace == "System.IO" ? null
        : method.ReturnType.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)
            ? typeof(IReadOnlyList<>).MakeGenericType(type)
        : type;

    private static List<JsonElement> Answers(JsonElement document, Operation operation) =>
        [
            .. from answer in operation.Description.GetProperty("responses").EnumerateObject()
            where answer.Name is "200" or "202" && answer.Value.TryGetProperty("content", out _)
            from content in answer.Value.GetProperty("content").EnumerateObject()
            where content.Name == "application/json" && content.Value.TryGetProperty("schema", out _)
            from schema in Shapes(content.Value.GetProperty("schema"), document)
            select schema,
        ];

    /// <summary>A schema as what it may stand for: references followed, alternatives one by one.</summary>
    private static IEnumerable<JsonElement> Shapes(JsonElement schema, JsonElement document)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            var name = reference.GetString()!.Split('/')[^1];
            return Shapes(document.GetProperty("components").GetProperty("schemas").GetProperty(name), document);
        }
        foreach (var word in new[] { "oneOf", "anyOf", "allOf" })
        {
            if (schema.TryGetProperty(word, out var several))
            {
                return several.EnumerateArray().SelectMany(one => Shapes(one, document));
            }
        }
        return [schema];
    }

    private static void Compare(
        List<JsonElement> shapes,
        Type type,
        JsonElement document,
        SortedSet<string> unknown,
        HashSet<Type> compared
    )
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (ItemOf(type) is { } item)
        {
            // A list is an array, or the items of a page.
            var items = shapes
                .Select(shape => FieldsOf(shape).TryGetValue("items", out var list) ? list : shape)
                .SelectMany(shape => Shapes(shape, document))
                .Where(shape => shape.TryGetProperty("items", out _))
                .SelectMany(shape => Shapes(shape.GetProperty("items"), document));
            Compare([.. items], item, document, unknown, compared);
        }
        else if (type.IsEnum)
        {
            compared.Add(type);
            var known = Enum.GetValues(type)
                .Cast<object>()
                .Select(value => JsonSerializer.Serialize(value, type))
                .ToHashSet();
            var names = shapes
                .Where(shape => shape.TryGetProperty("enum", out _))
                .SelectMany(shape => shape.GetProperty("enum").EnumerateArray())
                .Where(name => name.ValueKind == JsonValueKind.String);
            unknown.UnionWith(
                names
                    .Select(name => name.GetRawText())
                    .Where(name => !known.Contains(name))
                    .Select(name => $"{type.Name} {name}")
            );
        }
        else if (type.Namespace == "JobHost.Client.Documents" && compared.Add(type))
        {
            var known = type.GetProperties()
                .ToDictionary(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name));
            // Of several answers, the one that is meant.
            var fields = shapes.Select(FieldsOf).MaxBy(one => one.Keys.Count(known.ContainsKey));
            foreach (var (name, schema) in fields ?? [])
            {
                if (known.TryGetValue(name, out var property))
                {
                    Compare([.. Shapes(schema, document)], property.PropertyType, document, unknown, compared);
                }
                else
                {
                    unknown.Add($"{type.Name}.{name}");
                }
            }
        }
    }

    private static Type? ItemOf(Type type) =>
        type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) && type.GetGenericArguments() is [var item]
            ? item
            : null;

    private static Dictionary<string, JsonElement> FieldsOf(JsonElement shape) =>
        shape.TryGetProperty("properties", out var properties)
            ? properties.EnumerateObject().ToDictionary(property => property.Name, property => property.Value)
            : [];

    /// <summary>Refuses everything, and knows what was asked first.</summary>
    private sealed class Recorder : HttpMessageHandler
    {
        internal (string Method, string Path)? First { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            First ??= (request.Method.Method, request.RequestUri!.AbsolutePath);
            return Task.FromResult(
                new HttpResponseMessage(HttpStatusCode.Gone)
                {
                    Content = new StringContent("{}", Encoding.UTF8, "application/problem+json"),
                }
            );
        }
    }
}
