# Why somebody answers for a name or an address. $role is one of the route-role texts.
route-role-operator = operator
route-role-registrant = holder
route-role-registrar = registrar
route-role-registry = registry
route-role-abuse = abuse contact
route-because-zone = { $role } of the zone { $zone }
route-because-enclosing-zone = { $role } of the zone { $zone } above it
route-because-root = { $role } of the root zone
route-because-name-server = { $role } of the name server { $server }
route-because-name-server-of = { $role } of { $server }, a name server of { $zone }
route-because-address = { $role } of the name server at { $address }
route-because-address-of = { $role } of the name server at { $address }, which serves { $zone }
route-because-prefix = { $role } of the addresses { $prefix }, among which is { $address }
route-because-prefix-of = { $role } of the addresses { $prefix }, among which is { $address }, a name server of { $zone }
route-because-registrar = { $role } with the registrar number { $number } at IANA
